import type { ServedResources } from '../served.ts'
import type { LazyHost } from './ask-manager.ts'
import { boardResources } from './board-resource.ts'
import { jobResources } from './job-resources.ts'
import { queueResources } from './queue-resources.ts'

/** Every family of resources, in the order in which clients list them. */
export function allResources(host: LazyHost): readonly ServedResources[] {
  return [queueResources(host), boardResources(), jobResources(host)]
}
