import { homedir } from 'node:os'
import type { SubmitContext } from '../domain/wire/submit.ts'

/** Names a command may need from the shell or app it was submitted from; everything else stays behind. */
const allowedNames = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  'TERM',
  'EDITOR',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'SSH_AUTH_SOCK',
  'DBUS_SESSION_BUS_ADDRESS',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'CONDA_DEFAULT_ENV',
  'JAVA_HOME',
  'GOPATH',
  'GOROOT',
  'CARGO_HOME',
  'RUSTUP_HOME',
  'NVM_DIR',
  'NVM_BIN',
  'PNPM_HOME',
  'PYENV_ROOT',
  'CUDA_HOME',
  'CUDA_VISIBLE_DEVICES',
  // Windows cannot start most programs without these.
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'USERPROFILE',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'TEMP',
  'TMP',
])
const allowedPrefixes = ['LC_', 'XDG_']
const secretPattern = /(KEY|TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE)/i

/** @returns the allow-listed part of an environment, without anything whose name looks like a secret. */
export function baseEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || value.includes('\0')) continue
    const upper = name.toUpperCase()
    const allowed = allowedNames.has(upper) || allowedPrefixes.some((prefix) => upper.startsWith(prefix))
    if (allowed && (upper === 'SSH_AUTH_SOCK' || !secretPattern.test(upper))) kept[name] = value
  }
  return kept
}

/** Captures what a command inherits from the client that submits it (DESIGN §10.5). */
export function captureSubmitContext(options: {
  submittedBy: string
  environment?: NodeJS.ProcessEnv
  cwd?: string
  home?: string
}): SubmitContext {
  const cwd = options.cwd ?? process.cwd()
  const saysNothing = cwd === '/' || cwd === (options.home ?? homedir())
  return {
    environment: baseEnvironment(options.environment ?? process.env),
    cwd: saysNothing ? null : cwd,
    submitted_by: options.submittedBy.slice(0, 200),
  }
}
