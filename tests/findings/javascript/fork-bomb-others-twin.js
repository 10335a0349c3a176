// expect: process-spawn:6
import { spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';

function restart() {
  spawn('server').on('exit', restart);
}
restart();
for (;;) {
  const worker = new Worker('./worker.js');
  await new Promise((resolve) => worker.once('exit', resolve));
}
