// An IPFS daemon on loopback ports that it chooses itself, with a repository of its own that goes when it goes, and no
// way to any other node. Prints in one line: the multiaddresses of RPC interface and gateway, and the repository's folder.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

// Newer versions of some parts expect this, and Node 20 does not have it. Only then load them.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((yes, no) => { resolve = yes; reject = no })
  return { promise, resolve, reject }
}
const { create } = await import('ipfs-core')
const { HttpApi } = await import('ipfs-http-server')
const { HttpGateway } = await import('ipfs-http-gateway')

const repository = await mkdtemp(join(tmpdir(), 'agora-ipfs-'))
const ipfs = await create({
  repo: repository,
  silent: true,
  init: { algorithm: 'Ed25519', emptyRepo: true },
  preload: { enabled: false },
  config: {
    Addresses: { Swarm: [], API: '/ip4/127.0.0.1/tcp/0', Gateway: '/ip4/127.0.0.1/tcp/0' },
    Bootstrap: [],
    Discovery: { MDNS: { Enabled: false }, webRTCStar: { Enabled: false } }
  }
})
const rpc = new HttpApi(ipfs)
const gateway = new HttpGateway(ipfs)
await rpc.start()
await gateway.start()

async function stop () {
  await gateway.stop()
  await rpc.stop()
  await ipfs.stop()
  await rm(repository, { recursive: true, force: true })
  process.exit(0)
}
process.once('SIGINT', stop)
process.once('SIGTERM', stop)

const address = (server) => server.info.ma.toString().replace(/\/http$/, '')
console.log(address(rpc._apiServers[0]), address(gateway._gatewayServers[0]), repository)
