import {
  copyFileSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect, test } from 'vitest'
import {
  acceptRestoredDatabase,
  captureFileIdentity,
  checkIdentityAtStart,
  isSameFile,
  raiseHighWater,
  readIdentity,
  readOrCreateIdentity,
} from '../../../src/persistence/identity.ts'
import { jobIdOf, newJob, start, submit } from '../../conformance/support/jobs.ts'
import { type StateDirectory, useStateDirectory } from './support.ts'

const refused = expect.objectContaining({ code: 'storage_refused' })

/** A manager's life: open, check, lead, submit some jobs, raise the mark. The store is left open. */
function live(state: StateDirectory, jobs: readonly number[]) {
  const store = state.open({ identityFile: state.identityFile })
  checkIdentityAtStart(store, state.identityFile)
  store.raiseEpoch('test', start)
  const identity = readOrCreateIdentity(store, state.identityFile, 'instance-a', start)
  for (const number of jobs) submit(store, newJob(number))
  raiseHighWater(state.identityFile, identity, store.lastEventId())
  return store
}

function startAgain(state: StateDirectory): void {
  const store = state.open({ identityFile: state.identityFile })
  checkIdentityAtStart(store, state.identityFile)
}

describe('identity of the state', () => {
  test('an undisturbed state directory is accepted at every start', () => {
    const state = useStateDirectory()
    live(state, [1, 2]).close()
    live(state, [3]).close()
    startAgain(state)
    expect(readIdentity(state.identityFile)).toEqual({
      instanceId: 'instance-a',
      highWater: 3,
      home: null,
      createdAt: start,
    })
    expect(statSync(state.identityFile).mode & 0o777).toBe(0o600)
  })

  test('a manager that was killed before it could checkpoint is accepted', () => {
    const state = useStateDirectory()
    const store = live(state, [1, 2])
    const copies = ['', '-wal'].map(
      (suffix) => [state.databaseFile + suffix, readFileSync(state.databaseFile + suffix)] as const,
    )
    store.close()
    for (const [file, content] of copies) writeFileSync(file, content)
    startAgain(state)
  })

  test('a deleted -wal file is refused: acknowledged jobs were in it', () => {
    const state = useStateDirectory()
    const store = live(state, [1, 2])
    const main = readFileSync(state.databaseFile)
    store.close()
    writeFileSync(state.databaseFile, main)
    rmSync(`${state.databaseFile}-wal`, { force: true })
    expect(() => startAgain(state)).toThrow(refused)
  })

  test('an emptied database is refused and not filled again', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    truncateSync(state.databaseFile)
    expect(() => startAgain(state)).toThrow(refused)
    expect(statSync(state.databaseFile).size).toBe(0)
  })

  test('a deleted database is refused and not created again', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    rmSync(state.databaseFile)
    expect(() => startAgain(state)).toThrow(refused)
    expect(existsSync(state.databaseFile)).toBe(false)
  })

  test('a new database in the place of the old one is refused, even unopened before', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    rmSync(state.databaseFile)
    const store = state.open()
    expect(() => checkIdentityAtStart(store, state.identityFile)).toThrow(/deleted or emptied/)
  })

  test('an older copy is refused, naming both ends', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    copyFileSync(state.databaseFile, `${state.databaseFile}.old`)
    live(state, [2, 3]).close()
    copyFileSync(`${state.databaseFile}.old`, state.databaseFile)
    expect(() => startAgain(state)).toThrow(/ends at event 1, but event 3/)
  })

  test('the database of another state directory is refused', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    const foreign = useStateDirectory()
    const other = foreign.open()
    other.adoptInstanceId('instance-b', start)
    other.raiseEpoch('test', start)
    for (const number of [1, 2, 3]) submit(other, newJob(number))
    other.close()
    copyFileSync(foreign.databaseFile, state.databaseFile)
    expect(() => startAgain(state)).toThrow(/instance-b.*instance-a/)
  })

  test('a backup put back on purpose can be accepted; event ids go on where they had been', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    copyFileSync(state.databaseFile, `${state.databaseFile}.old`)
    live(state, [2, 3]).close()
    copyFileSync(`${state.databaseFile}.old`, state.databaseFile)
    const store = state.open()
    acceptRestoredDatabase(state.identityFile, store, 'unused', start)
    checkIdentityAtStart(store, state.identityFile)
    store.raiseEpoch('test', start)
    submit(store, newJob(4))
    expect(store.lastEventId()).toBe(4)
    expect(store.readJob(jobIdOf(2))).toBeNull()
    store.close()
    startAgain(state)
  })

  test('even an empty database can be accepted; the instance stays the same', () => {
    const state = useStateDirectory()
    live(state, [1, 2]).close()
    rmSync(state.databaseFile)
    const store = state.open()
    const identity = acceptRestoredDatabase(state.identityFile, store, 'unused', start)
    expect(identity).toMatchObject({ instanceId: 'instance-a', highWater: 2 })
    store.raiseEpoch('test', start)
    submit(store, newJob(1))
    expect(store.lastEventId()).toBe(3)
  })

  test('a lost marker is made again from the database', () => {
    const state = useStateDirectory()
    live(state, [1, 2]).close()
    rmSync(state.identityFile)
    live(state, []).close()
    expect(readIdentity(state.identityFile)).toMatchObject({ instanceId: 'instance-a', highWater: 2 })
  })

  test('a damaged marker is refused, not overwritten', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    writeFileSync(state.identityFile, '{"instance_id":')
    expect(() => startAgain(state)).toThrow(refused)
    expect(readFileSync(state.identityFile, 'utf8')).toBe('{"instance_id":')
  })

  test('the high-water mark never goes back', () => {
    const state = useStateDirectory()
    live(state, [1, 2]).close()
    const identity = readIdentity(state.identityFile)
    if (identity === null) throw new Error('no marker')
    expect(raiseHighWater(state.identityFile, identity, 1)).toBe(identity)
    expect(readIdentity(state.identityFile)?.highWater).toBe(2)
  })

  test('a file that was deleted or replaced is another file', () => {
    const state = useStateDirectory()
    live(state, [1]).close()
    const captured = captureFileIdentity(state.databaseFile)
    expect(isSameFile(state.databaseFile, captured)).toBe(true)
    renameSync(state.databaseFile, `${state.databaseFile}.moved`)
    expect(isSameFile(state.databaseFile, captured)).toBe(false)
    copyFileSync(`${state.databaseFile}.moved`, state.databaseFile)
    expect(isSameFile(state.databaseFile, captured)).toBe(false)
  })
})
