import { statfsSync } from 'node:fs'

export interface FileSystemKind {
  readonly name: string
  /** `memory` is lost at a reboot, `container` with the container; `network` breaks locks and syncs. */
  readonly risk: 'none' | 'network' | 'memory' | 'container'
}

/** Linux magic numbers of statfs(2). */
const linuxKinds: ReadonlyMap<number, FileSystemKind> = new Map([
  [0x6969, { name: 'NFS', risk: 'network' }],
  [0x517b, { name: 'SMB', risk: 'network' }],
  [0xff534d42, { name: 'CIFS', risk: 'network' }],
  [0xfe534d42, { name: 'SMB2', risk: 'network' }],
  [0x65735546, { name: 'FUSE', risk: 'network' }],
  [0x01021997, { name: '9P (a shared or Windows folder)', risk: 'network' }],
  [0x00c36400, { name: 'Ceph', risk: 'network' }],
  [0x5346414f, { name: 'AFS', risk: 'network' }],
  [0x6b414653, { name: 'AFS', risk: 'network' }],
  [0x73757245, { name: 'Coda', risk: 'network' }],
  [0x0bd00bd0, { name: 'Lustre', risk: 'network' }],
  [0x47504653, { name: 'GPFS', risk: 'network' }],
  [0x786f4256, { name: 'VirtualBox shared folder', risk: 'network' }],
  [0x01021994, { name: 'tmpfs', risk: 'memory' }],
  [0x858458f6, { name: 'ramfs', risk: 'memory' }],
  [0x794c7630, { name: 'overlay (container)', risk: 'container' }],
  [0xef53, { name: 'ext4', risk: 'none' }],
  [0x58465342, { name: 'XFS', risk: 'none' }],
  [0x9123683e, { name: 'Btrfs', risk: 'none' }],
  [0x2fc12fc1, { name: 'ZFS', risk: 'none' }],
  [0xf2f52010, { name: 'F2FS', risk: 'none' }],
  [0xca451a4e, { name: 'bcachefs', risk: 'none' }],
])

/** @returns what a magic number of Linux stands for. */
export function linuxFileSystem(magic: number): FileSystemKind {
  const unsigned = magic >>> 0
  return linuxKinds.get(unsigned) ?? { name: `type 0x${unsigned.toString(16)}`, risk: 'none' }
}

const syncFolders = [
  /^Dropbox( \(.+\))?$/i,
  /^OneDrive( - .+)?$/i,
  /^Google ?Drive$/i,
  /^My Drive$/i,
  /^Mobile Documents$/,
  /^CloudStorage$/,
  /^iCloud ?Drive$/i,
  /^Nextcloud$/i,
  /^ownCloud$/i,
  /^MEGA(sync)?$/i,
  /^pCloud ?Drive$/i,
  /^Box( Sync)?$/,
  /^Syncthing$/i,
]

/** @returns the part of a path that names the folder of a synchronising program, or null. */
export function syncFolderIn(path: string): string | null {
  return path.split(/[\\/]/).find((part) => syncFolders.some((pattern) => pattern.test(part))) ?? null
}

export interface FileSystemFacts {
  readonly kind: FileSystemKind
  readonly freeBytes: number
}

/** @returns kind and free space of the file system that holds an existing path. */
export function fileSystemFacts(path: string, platform: NodeJS.Platform = process.platform): FileSystemFacts {
  const facts = statfsSync(path)
  const kind: FileSystemKind = platform === 'linux' ? linuxFileSystem(facts.type) : { name: 'local', risk: 'none' }
  return { kind, freeBytes: facts.bavail * facts.bsize }
}
