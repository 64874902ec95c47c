import type { ErrorRecord } from '../domain/errors.ts'
import type { Fence, Json, Progress, RateLimit, RunnerIdentity } from '../domain/job.ts'
import type { ArtifactFacts } from '../domain/ports/attempt.ts'
import type { Watermark } from '../domain/ports/event-store.ts'
import type { GpuReturn, GpuWaiter } from '../domain/ports/gpu-store.ts'
import type { DeletedSlice, PruningRecord } from '../domain/ports/history-store.ts'
import type {
  BatchEnd,
  CancelOutcome,
  ClaimOutcome,
  ClaimRequest,
  Consequences,
  DecideOutcome,
  EndFacts,
  HeldOutput,
  JobChanges,
  JobStore,
  NewJob,
  PauseOutcome,
  SubmitOutcome,
  UnitEnd,
  UpdateOutcome,
  WorkerRecord,
} from '../domain/ports/job-store.ts'
import type { Lane, LaneHold, Queue } from '../domain/ports/lane-store.ts'
import type { Checkpoint, RemoteIdentity } from '../domain/ports/remote-executor.ts'
import type { Schedule, ScheduleRun } from '../domain/ports/schedule-store.ts'
import type { AppendOutcome, NewSource, NewUnit, SourceProgress } from '../domain/ports/source-store.ts'
import type { CreateTaskOutcome, NewTask, TaskName } from '../domain/ports/task-store.ts'
import type { CancelReason } from '../domain/states.ts'
import { SqliteStoreReads } from './sqlite-store-reads.ts'

/** The JobStore on one SQLite connection. Contracts are at the port; SQL is in statements/. */
export class SqliteJobStore extends SqliteStoreReads implements JobStore {
  submitJob(job: NewJob): SubmitOutcome {
    return this.write((parts) => parts.submissions.submit(job))
  }

  claimUnitsIfDue(request: ClaimRequest): ClaimOutcome {
    return this.write((parts) => parts.claims.claim(request))
  }

  takeConsequences(): Consequences {
    return this.read((parts) => parts.consequences.take())
  }

  pauseJob(jobId: string, freeze: boolean, now: number): PauseOutcome {
    return this.write((parts) => parts.controls.pause(jobId, freeze, now))
  }

  resumeJob(jobId: string, now: number): PauseOutcome {
    return this.write((parts) => parts.controls.resume(jobId, now))
  }

  decideJob(jobId: string, decision: 'approved' | 'rejected', by: string, now: number): DecideOutcome {
    return this.write((parts) => parts.controls.decide(jobId, decision, by, now))
  }

  updateJob(jobId: string, changes: JobChanges, now: number): UpdateOutcome {
    return this.write((parts) => parts.controls.update(jobId, changes, now))
  }

  recordRunnerIfHeld(fence: Fence, runner: RunnerIdentity): boolean {
    return this.write((parts) => parts.claims.recordRunner(fence, runner))
  }

  recordProgressIfHeld(fence: Fence, progress: Progress | null, elapsedMs: number, now: number): boolean {
    return this.write((parts) => parts.claims.recordProgress(fence, progress, elapsedMs, now))
  }

  recordCheckpointIfHeld(fence: Fence, checkpoint: Checkpoint): boolean {
    return this.write((parts) => parts.resumption.recordCheckpoint(fence, checkpoint))
  }

  recordArtifactsIfHeld(fence: Fence, artifacts: readonly ArtifactFacts[]): boolean {
    return this.write((parts) => parts.artifacts.record(fence, artifacts))
  }

  adoptUnitIfHeld(fence: Fence, workerId: string): Fence | null {
    return this.write((parts) => parts.claims.adopt(fence, workerId, this.clock.now()))
  }

  completeUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    return this.write((parts) => parts.endings.complete(fence, output, facts))
  }

  completeUnitsIfHeld(ends: readonly HeldOutput[], now: number): readonly BatchEnd[] {
    return this.write((parts) => parts.batchEndings.complete(ends, now))
  }

  failUnitIfHeld(
    fence: Fence,
    outcome: 'failed' | 'timed_out',
    retryAt: number | null,
    output: Json,
    facts: EndFacts,
  ): UnitEnd | null {
    return this.write((parts) => parts.endings.fail(fence, outcome, retryAt, output, facts))
  }

  loseUnitIfHeld(
    fence: Fence,
    options: { mayRerun: boolean; countsAsCrash: boolean; retryAt: number },
    facts: EndFacts,
  ): UnitEnd | null {
    return this.write((parts) => parts.endings.lose(fence, options, facts))
  }

  deferUnitIfHeld(fence: Fence, until: number, output: Json, facts: EndFacts): UnitEnd | null {
    return this.write((parts) => parts.endings.defer(fence, until, output, facts))
  }

  releaseUnitIfHeld(fence: Fence, facts: EndFacts): UnitEnd | null {
    return this.write((parts) => parts.endings.release(fence, facts))
  }

  cancelUnitIfHeld(fence: Fence, output: Json, facts: EndFacts): UnitEnd | null {
    return this.write((parts) => parts.endings.cancel(fence, output, facts))
  }

  shiftRetries(byMs: number): number {
    return this.write((parts) => parts.workers.shiftRetries(byMs))
  }

  requestCancel(jobId: string, reason: CancelReason, now: number): CancelOutcome {
    return this.write((parts) => parts.cancellations.request(jobId, reason, now))
  }

  cancelMoreUnits(jobId: string, limit: number, now: number): boolean {
    return this.write((parts) => parts.cancellations.cancelMore(jobId, limit, now))
  }

  appendSource(jobId: string, source: NewSource, now: number): AppendOutcome {
    return this.write((parts) => parts.sources.append(jobId, source, now))
  }

  insertUnits(
    sourceSeq: number,
    batch: { units: readonly NewUnit[]; cursor: number; done: boolean },
    now: number,
  ): SourceProgress | null {
    return this.write((parts) => parts.sources.insert(sourceSeq, batch, now))
  }

  holdLane(hold: LaneHold, now: number): void {
    this.write((parts) => parts.lanes.hold(hold, now))
  }

  endLaneHolds(queue: string, now: number): { readonly holds: number; readonly units: number } {
    return this.write((parts) => parts.lanes.endHolds(queue, now))
  }

  readLaneStarts(since: number): readonly (Lane & { readonly startedAt: number })[] {
    return this.write((parts) => parts.lanes.readStarts(since))
  }

  updateQueue(
    name: string,
    changes: { concurrency?: number | null; rate?: RateLimit | null; paused?: boolean },
    now: number,
  ): Queue {
    return this.write((parts) => parts.lanes.update(name, changes, now))
  }

  recordRemoteIfHeld(fence: Fence, remote: RemoteIdentity): boolean {
    return this.write((parts) => parts.gpu.recordRemote(fence, remote))
  }

  recordDeviceIfHeld(fence: Fence, device: string, mode: string | null): boolean {
    return this.write((parts) => parts.gpu.recordDevice(fence, device, mode))
  }

  returnUnitIfHeld(fence: Fence, where: GpuReturn, facts: EndFacts): UnitEnd | null {
    return this.write((parts) => parts.endings.returned(fence, where, facts))
  }

  setGpuWait(jobSeq: number, since: number | null): void {
    this.write((parts) => parts.gpu.setWait(jobSeq, since))
  }

  placeUnitsHere(
    job: Pick<GpuWaiter, 'jobId' | 'seq'>,
    reason: ErrorRecord | null,
    limit: number,
    now: number,
  ): number {
    return this.write((parts) => parts.gpu.placeHere(job, reason, limit, now))
  }

  registerWorker(worker: WorkerRecord, now: number, leaseExpiresAt: number): void {
    this.write((parts) => parts.workers.register(worker, now, leaseExpiresAt))
  }

  heartbeatWorker(workerId: string, now: number, leaseExpiresAt: number): boolean {
    return this.write((parts) => parts.workers.heartbeat(workerId, now, leaseExpiresAt))
  }

  stopWorker(workerId: string, now: number): void {
    this.write((parts) => parts.workers.stop(workerId, now))
  }

  recordShown(reader: string, eventId: number): void {
    this.write((parts) => parts.watermarks.recordShown(reader, eventId))
  }

  acknowledge(reader: string, eventId: number): Watermark {
    return this.write((parts) => parts.watermarks.acknowledge(reader, eventId))
  }

  pruneEvents(keep: number, limit: number): number {
    return this.write((parts) => parts.events.prune(keep, limit))
  }

  pruneDurations(before: number, afterHash: string, limit: number): string | null {
    return this.write((parts) => parts.history.pruneDurations(before, afterHash, limit))
  }

  deleteJobSlice(jobId: string, limit: number): DeletedSlice | null {
    return this.write((parts) => parts.history.deleteSlice(jobId, limit, this.clock.now()))
  }

  recordPruning(record: PruningRecord): void {
    this.write((parts) => parts.history.recordPruning(record))
  }

  saveSchedule(schedule: Schedule): void {
    this.write((parts) => parts.schedules.save(schedule))
  }

  removeSchedule(scheduleId: string): boolean {
    return this.write((parts) => parts.schedules.remove(scheduleId))
  }

  advanceSchedule(scheduleId: string, from: number | null, to: number | null): boolean {
    return this.write((parts) => parts.schedules.advance(scheduleId, from, to))
  }

  recordScheduleRun(run: ScheduleRun): boolean {
    return this.write((parts) => parts.schedules.recordRun(run))
  }

  createTask(task: NewTask): CreateTaskOutcome {
    return this.write((parts) => parts.tasks.create(task))
  }

  settleTaskIfOpen(name: TaskName, outcome: Json, now: number): boolean {
    return this.write((parts) => parts.tasks.settle(name, outcome, now))
  }

  cancelTaskIfOpen(name: TaskName, now: number): boolean {
    return this.write((parts) => parts.tasks.cancel(name, now))
  }

  recordJobElapsed(jobId: string, elapsedMs: number): void {
    this.write((parts) => parts.clocks.record(jobId, elapsedMs))
  }
}
