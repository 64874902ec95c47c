/**
 * What dist/front-end.js is made of: loading it serves MCP on stdin and stdout, whoever loads it. A host that runs bundles in a
 * process of its own kind gives it other arguments than a program has.
 */
import './forget-placeholders.ts'
import { runMcpServer } from './main.ts'

// Where this file is the program itself, main.ts has served already, and the process ends with it.
await runMcpServer()
