import { heal } from '../../client/heal.ts'
import { stateDirectory } from '../../config/paths.ts'

// Started by heal.sh, with nobody there to read an error: the next client tries again and hears it.
process.exitCode = await heal(stateDirectory()).catch(() => 1)
