// expect: process-spawn:5 process-spawn:6 process-spawn:7 process-spawn:8
const cp = require('child_process');
const { exec, spawn: start } = require('node:child_process');

cp.execSync('ls');
exec('ls', (error, out) => console.log(out));
start('ls', ['-l']);
require('child_process').fork('worker.js');
