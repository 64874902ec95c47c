import { readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { uuidv7 } from 'uuidv7'
import { openConnection } from '../src/persistence/connection.ts'
const schema0 = readFileSync('/work/main/src/persistence/migrations/0001_initial.sql', 'utf8')
const N = Number(process.env.N ?? 40000), G = Number(process.env.G ?? 250)
function cpu<T>(f: () => T) { const c = process.cpuUsage(); f(); const d = process.cpuUsage(c); return ((d.user + d.system) / N).toFixed(2) }
type V = { name: string; schema?: (s: string) => string; claim?: 'range' | 'product'; end?: 'seq' | 'fenced' | 'set' | 'setId'; addSet?: boolean }
function run(v: V) {
  const dir = mkdtempSync('/tmp/nk-micro-')
  const db = openConnection({ databaseFile: dir + '/x.db', fullfsync: false })
  db.exec((v.schema ?? ((s) => s))(schema0))
  db.exec(`INSERT INTO queue (name, created_at) VALUES ('default', 0);
    INSERT INTO worker (id, kind, name, pid, slots, started_at, heartbeat_at, lease_expires_at) VALUES ('019361a0-0000-7000-8000-000000000000', 'inline', 'floor', 1, 250, 0, 0, 0);
    INSERT INTO job (seq, id, queue, type, name, priority, run_at, max_attempts, submitted_by, created_at) VALUES (1, 'floor', 'default', 'noop', 'noop', 2, 0, 1, 'bench', 0);
    UPDATE job SET state = 'running', started_at = 0 WHERE seq = 1;`)
  const w = '019361a0-0000-7000-8000-000000000000', nonce = '0123456789ab'
  const ins = db.prepare(`INSERT INTO unit (id, job_seq, position, final_step, available_at) VALUES (?, 1, ?, 0, 0)`)
  const insP = db.prepare('INSERT INTO unit_payload (unit_seq, input) VALUES (?, ?)')
  const ids: string[] = []
  const add = db.transaction((f: number) => { for (let s = f; s < f + G; s++) { const id = uuidv7(); ids[s] = id; ins.run(id, s - 1); insP.run(s, JSON.stringify(s)) } })
  const insSet = db.prepare(`INSERT INTO unit (id, job_seq, position, final_step, available_at) SELECT value, 1, ? + key, 0, 0 FROM json_each(?)`)
  const insPSet = db.prepare(`INSERT INTO unit_payload (unit_seq, input) SELECT ? + key, value FROM json_each(?)`)
  const addSet = db.transaction((f: number) => { const a: string[] = [], b: string[] = []; for (let s = f; s < f + G; s++) { const id = uuidv7(); ids[s] = id; a.push(id); b.push(JSON.stringify(s)) }
    insSet.run(f - 1, JSON.stringify(a)); insPSet.run(f, JSON.stringify(b)) })
  const aCpu = cpu(() => { for (let f = 1; f <= N; f += G) (v.addSet ? addSet : add).immediate(f) })
  const claimR = db.prepare(`UPDATE unit SET state = 'running', attempt = attempt + 1, nonce = ?, leased_by = ? WHERE seq BETWEEN ? AND ?`)
  const claimP = db.prepare(`UPDATE unit SET state = 'running', attempt = attempt + 1, nonce = ?, leased_by = ?
    WHERE seq IN (SELECT unit.seq FROM unit INDEXED BY unit_available WHERE job_seq = 1 AND limit_key IS NULL AND unit.state = 'available' AND unit.available_at <= 1 ORDER BY unit.available_at, unit.position LIMIT 250)
    RETURNING seq, id, job_seq, position, key, limit_key, final_step, attempt, failures, crashes`)
  const open = db.prepare(`INSERT INTO attempt (unit_seq, attempt, nonce, worker_id, executor, mode, started_at) SELECT seq, 1, ?, ?, 'inline', 'local', ? FROM unit WHERE seq BETWEEN ? AND ?`)
  const comp = db.prepare(`UPDATE unit SET state = 'completed', finished_at = ?, leased_by = NULL, nonce = NULL WHERE seq = ?`)
  const compF = db.prepare(`UPDATE unit SET state = 'completed', finished_at = @now, leased_by = NULL, nonce = NULL WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running'
   RETURNING seq, id, job_seq, position, key, limit_key, final_step, state, available_at, attempt, failures, crashes, finished_at`)
  const outF = db.prepare(`UPDATE unit_payload SET output = @output WHERE unit_seq = (SELECT seq FROM unit WHERE id = @unit_id AND attempt = @attempt AND nonce = @nonce AND leased_by = @worker_id AND state = 'running')`)
  const out = db.prepare('UPDATE unit_payload SET output = ? WHERE unit_seq = ?')
  const close = db.prepare(`UPDATE attempt SET outcome = 'completed', finished_at = ? WHERE unit_seq = ? AND attempt = 1`)
  // set based, fenced by seq+attempt+nonce+worker (seq known from the claim)
  const sOut = db.prepare(`UPDATE unit_payload SET output = e.value ->> 1 FROM json_each(@ends) AS e CROSS JOIN unit ON unit.seq = e.value ->> 0
    WHERE unit_payload.unit_seq = unit.seq AND unit.attempt = e.value ->> 2 AND unit.nonce = @nonce AND unit.leased_by = @worker AND unit.state = 'running'`)
  const sComp = db.prepare(`UPDATE unit SET state = 'completed', finished_at = @now, leased_by = NULL, nonce = NULL
    WHERE (unit.seq) IN (SELECT value ->> 0 FROM json_each(@ends)) AND unit.nonce = @nonce AND unit.leased_by = @worker AND unit.state = 'running' RETURNING unit.seq`)
  const sClose = db.prepare(`UPDATE attempt SET outcome = 'completed', finished_at = @now WHERE (unit_seq, attempt) IN (SELECT value ->> 0, value ->> 2 FROM json_each(@ends)) AND outcome = 'running'`)
  for (const [n, st] of [['out', `UPDATE unit_payload SET output = e.value ->> 1 FROM json_each(@ends) AS e CROSS JOIN unit ON unit.seq = e.value ->> 0
    WHERE unit_payload.unit_seq = unit.seq AND unit.attempt = e.value ->> 2 AND unit.nonce = @nonce AND unit.leased_by = @worker AND unit.state = 'running'`],['close',`UPDATE attempt SET outcome = 'completed', finished_at = @now WHERE (unit_seq, attempt) IN (SELECT value ->> 0, value ->> 2 FROM json_each(@ends)) AND outcome = 'running'`]] as const)
   if (process.env.PLAN) console.log(n, db.prepare('EXPLAIN QUERY PLAN ' + st).all({ ends: '[]', nonce, worker: w, now: 1 }).map((r: any) => r.detail))
  const sOutI = db.prepare(`UPDATE unit_payload SET output = e.value ->> 1 FROM json_each(@ends) AS e CROSS JOIN unit ON unit.id = e.value ->> 0
    WHERE unit_payload.unit_seq = unit.seq AND unit.attempt = e.value ->> 2 AND unit.nonce = @nonce AND unit.leased_by = @worker AND unit.state = 'running'`)
  const sCompI = db.prepare(`UPDATE unit SET state = 'completed', finished_at = @now, leased_by = NULL, nonce = NULL
    WHERE id IN (SELECT value ->> 0 FROM json_each(@ends)) AND unit.nonce = @nonce AND unit.leased_by = @worker AND unit.state = 'running' RETURNING seq, attempt, position`)
  const end = (f: number, now: number) => {
    const mode = v.end ?? 'seq'
    if (mode === 'seq') for (let s = f; s < f + G; s++) { out.run(JSON.stringify(s), s); comp.run(now, s); close.run(now, s) }
    else if (mode === 'fenced') for (let s = f; s < f + G; s++) { outF.run({ unit_id: ids[s], attempt: 1, nonce, worker_id: w, output: JSON.stringify(s) }); const r: any = compF.get({ unit_id: ids[s], attempt: 1, nonce, worker_id: w, now }); close.run(now, r.seq) }
    else if (mode === 'set') { const ends: unknown[] = []; for (let s = f; s < f + G; s++) ends.push([s, JSON.stringify(s), 1]); const e = JSON.stringify(ends); if (sOut.run({ ends: e, nonce, worker: w }).changes !== G) throw 1; if (sComp.all({ ends: e, nonce, worker: w, now }).length !== G) throw 2; if (sClose.run({ ends: e, now }).changes !== G) throw 3 }
    else { const ends: unknown[] = []; for (let s = f; s < f + G; s++) ends.push([ids[s], JSON.stringify(s), 1]); const e = JSON.stringify(ends); if (sOutI.run({ ends: e, nonce, worker: w }).changes !== G) throw 1; const rows = sCompI.all({ ends: e, nonce, worker: w, now }) as any[]; if (rows.length !== G) throw 2; if (sClose.run({ ends: JSON.stringify(rows.map((r) => [r.seq, 0, r.attempt])), now }).changes !== G) throw 3 }
  }
  let cC = 0, eC = 0
  const t = (k: 'c' | 'e', f: () => void) => { const c = process.cpuUsage(); f(); const d = process.cpuUsage(c); if (k === 'c') cC += d.user + d.system; else eC += d.user + d.system }
  const turn = db.transaction((f: number) => { const now = Date.now(); if (f > 1) t('e', () => end(f - G, now)); if (f <= N) t('c', () => { if (v.claim === 'product') claimP.all(nonce, w); else claimR.run(nonce, w, f, f + G - 1); open.run(nonce, w, now, f, f + G - 1) }) })
  const rCpu = cpu(() => { for (let f = 1; f < N + G; f += G) turn.immediate(f) })
  const ok = db.prepare('select completed c from job_count').get() as any
  db.close(); rmSync(dir, { recursive: true })
  console.log(v.name.padEnd(34), 'add', aCpu, 'run', rCpu, '(claim', (cC / N).toFixed(2), 'end', (eC / N).toFixed(2) + ')', ok?.c)
}
const noUnitTrig = (s: string) => s.replace(/CREATE TRIGGER unit_updated[\s\S]*?\nEND;/, '')
const noTrig = (s: string) => s.replace(/CREATE TRIGGER (unit|attempt)_\w+[\s\S]*?\nEND;/g, '')
const F = (name: string, schema: (s: string) => string): V => ({ name, schema, end: 'seq' })
const vs: V[] = [
  { name: 'warm' }, { name: 'floor: per row by seq' },
  { name: 'fenced by id, named binds', end: 'fenced', claim: 'product' },
  { name: 'add set', addSet: true },
  F('no unit_updated trigger', noUnitTrig),
  F('no unit/attempt triggers', noTrig),
  F('no attempt_running idx', (s) => s.replace(/CREATE UNIQUE INDEX attempt_running.*/, '')),
  F('no unit_leased_by idx', (s) => s.replace(/CREATE INDEX unit_leased_by.*/, '')),
  F('no FKs of unit', (s) => s.replace('leased_by    TEXT    REFERENCES worker (id)', 'leased_by    TEXT').replace('job_seq      INTEGER NOT NULL REFERENCES job (seq) ON DELETE CASCADE,\n  position     INTEGER', 'job_seq      INTEGER NOT NULL,\n  position     INTEGER')),
  F('no payload/attempt trigger', (s) => s.replace(/CREATE TRIGGER (unit_payload|attempt)_updated[\s\S]*?\nEND;/g, '')),
  F('unit.id WITHOUT unique', (s) => s.replace('seq          INTEGER PRIMARY KEY,\n  id           TEXT    NOT NULL UNIQUE', 'seq          INTEGER PRIMARY KEY,\n  id           TEXT    NOT NULL')),
  { name: 'set by seq (json_each)', end: 'set' },
]
const only = process.env.ONLY
for (const v of vs) if (!only || v.name.includes(only)) run(v)
