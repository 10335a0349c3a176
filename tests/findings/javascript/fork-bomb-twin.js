// expect: process-spawn:5 process-spawn:7
const { fork, execSync } = require('child_process');
const cpus = require('os').cpus();

for (let i = 0; i < cpus.length; i++) fork(__filename);
while (true) {
  execSync('sleep 1');
  if (process.uptime() > 10) break;
}
