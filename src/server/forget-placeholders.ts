/** Claude Desktop hands a setting of a bundle that was left empty on as its placeholder; imported before what reads settings. */
for (const [name, value] of Object.entries(process.env)) {
  if (name.startsWith('NIGHTKILN_') && value?.startsWith('${')) delete process.env[name]
}

export {}
