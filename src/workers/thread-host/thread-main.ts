import { workerData } from 'node:worker_threads'
import { ControlBlock } from './control-block.ts'
import { monotonicMs, parseJson } from './in-thread/intrinsics.ts'
import { loadHandler } from './in-thread/load-handler.ts'
import { redirectOutput } from './in-thread/redirect-output.ts'
import { runItems } from './in-thread/run-items.ts'
import { ThreadJob } from './in-thread/thread-job.ts'
import { createThreadState } from './in-thread/thread-state.ts'
import { watchUncaught } from './in-thread/uncaught.ts'
import { unpackText } from './packed-text.ts'
import type { ThreadCode, ThreadData, ThreadItem, ToThread } from './thread-messages.ts'

// Entry of a thread of the thread host: loads one handler, and runs its attempts one after the other.
const { port, control, attempts } = workerData as ThreadData
const thread = createThreadState({
  control: new ControlBlock(control),
  attempts,
  post: port.postMessage.bind(port),
})

function load(code: ThreadCode): void {
  thread.code = code
  thread.handler = loadHandler(code).then((handler) => {
    thread.loaded = handler
    thread.post({ kind: 'loaded', problem: handler.problem })
    return handler
  })
}

function run(message: Extract<ToThread, { kind: 'run' }>): void {
  for (const key of message.forget) thread.jobs.delete(key)
  for (const packed of message.jobs) {
    const job = new ThreadJob(unpackText(packed))
    thread.jobs.set(job.wire.job_key, job)
  }
  void runItems(thread, parseJson(unpackText(message.items)) as ThreadItem[])
}

redirectOutput(thread)
watchUncaught(thread)
thread.control.boot(monotonicMs())
port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'load':
      load(message.code)
      break
    case 'run':
      run(message)
      break
    case 'abort':
      if (thread.current?.item.seq === message.seq) thread.current.abort()
      break
    default:
      thread.programs.take(message)
  }
})
