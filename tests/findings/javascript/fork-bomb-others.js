// expect: fork-bomb:6 process-spawn:6 fork-bomb:10
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';

function bomb() {
  spawn(process.argv[0], [process.argv[1]]);
  setImmediate(bomb);
}
bomb();
for (;;) new Worker('./worker.js');
