const secretName = /(KEY|TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE)/i
const own = /^(NIGHTKILN_|VITEST|NODE_OPTIONS$|NOTIFY_SOCKET$|LISTEN_)/

/**
 * What handlers and declared programs get of the worker's environment: drivers are found by variables of many names, so all but
 * what looks like a secret.
 */
export function programEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && !secretName.test(name) && !own.test(name)) kept[name] = value
  }
  return kept
}
