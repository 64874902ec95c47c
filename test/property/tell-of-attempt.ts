import type { Fence } from '../../src/domain/job.ts'
import { artifact } from '../conformance/support/jobs.ts'
import type { Operation } from './history.ts'
import type { StorePair } from './store-pair.ts'

type Telling = Extract<
  Operation,
  {
    readonly kind:
      | 'record_runner'
      | 'record_checkpoint'
      | 'record_remote'
      | 'record_device'
      | 'record_artifacts'
      | 'record_progress'
  }
>

/** What a holder reports of its attempt while that runs. */
export function tellOfAttempt(pair: StorePair, operation: Telling, fence: Fence, isRemote: boolean): void {
  switch (operation.kind) {
    case 'record_runner':
      pair.both((store) => store.recordRunnerIfHeld(fence, { pid: 5, startTime: fence.nonce, bootId: 'boot' }))
      return
    case 'record_checkpoint': {
      const { at } = operation
      const checkpoint = { state: { at, by: fence.nonce }, format: at % 2 === 0 ? 'places/1' : null }
      pair.both((store) => store.recordCheckpointIfHeld(fence, checkpoint))
      return
    }
    case 'record_remote':
      pair.both((store) => store.recordRemoteIfHeld(fence, { worker: 'rig', remoteId: `remote of ${fence.nonce}` }))
      return
    case 'record_device':
      pair.both((store) => store.recordDeviceIfHeld(fence, 'H200', isRemote ? operation.mode : null))
      return
    case 'record_artifacts': {
      const artifacts = operation.names.map((name) => artifact(name, fence.attempt))
      pair.both((store) => store.recordArtifactsIfHeld(fence, artifacts))
      return
    }
    case 'record_progress': {
      const progress = { current: operation.current, total: null, message: fence.nonce, stage: null }
      pair.both((store) => store.recordProgressIfHeld(fence, progress, operation.current, pair.now()))
      return
    }
  }
}
