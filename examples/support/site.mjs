import { createServer } from 'node:http'

/**
 * Starts a small site on loopback. Each host is a port of its own.
 * @param hosts how many
 * @param answer called for each request with {host, path, offset, times, response}: `host` is its number, `offset` the
 *   first byte that is asked for, `times` how often the path was asked for before
 * @returns {hosts, requests, most, close}: `hosts` are names such as 127.0.0.1:40123, `requests` the log, `most` how many
 *   requests a host had at once
 */
export async function startSite(hosts, answer) {
  const requests = []
  const running = new Array(hosts).fill(0)
  const most = new Array(hosts).fill(0)
  const servers = []
  for (let host = 0; host < hosts; host += 1) {
    const server = createServer((request, response) => {
      running[host] += 1
      most[host] = Math.max(most[host], running[host])
      response.once('close', () => {
        running[host] -= 1
      })
      const path = request.url
      const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0)
      const times = requests.filter((one) => one.host === host && one.path === path).length
      requests.push({ host, path, offset })
      answer({ host, path, offset, times, response })
    })
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    servers.push(server)
  }
  return {
    hosts: servers.map((server) => `127.0.0.1:${server.address().port}`),
    requests,
    most,
    async close() {
      for (const server of servers) {
        server.closeAllConnections()
        await new Promise((resolve) => server.close(resolve))
      }
    },
  }
}
