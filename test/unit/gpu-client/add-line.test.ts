import { expect, test } from 'vitest'
import { addLine } from '../../../src/gpu-client/fleet/add-line.ts'

const url = 'https://rig.local:7801'

test.each([
  [{ url }, `nightkiln gpu add rig ${url} --replace --allow-cpu`],
  [
    { url, key: { file: '/my keys/gpu.key' }, ca_file: '/c.pem', cog_type: 'x' },
    `nightkiln gpu add rig ${url} --replace --key-file '/my keys/gpu.key' --ca-file /c.pem --cog-type x --allow-cpu`,
  ],
  [{ url, key: { env: 'GPU_KEY' } }, `nightkiln gpu add rig ${url} --replace --key-env GPU_KEY --allow-cpu`],
  [
    { url, key: { keychain: { service: "it's", account: 'gpu' } } },
    `nightkiln gpu add rig ${url} --replace --keychain 'it'\\''s/gpu' --allow-cpu`,
  ],
])('%j keeps all that its entry says', (entry, expected) => {
  expect(addLine('rig', entry, '--allow-cpu')).toBe(expected)
})
