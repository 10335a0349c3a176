// expect: process-spawn:5
const net = require('net');
const { spawn } = require('child_process');

const sorted = spawn('sort', []);
const client = net.connect(80, 'example.com', () => client.write('GET / HTTP/1.0'));
client.on('data', (data) => console.log(data.toString(), '/bin/sh'));
process.stdin.pipe(sorted.stdin);
sorted.stdout.pipe(process.stdout);
