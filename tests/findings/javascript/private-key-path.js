// expect: private-key-path:6 private-key-path:7 private-key-path:8
const fs = require('fs');
const os = require('os');
const path = require('path');

console.log(fs.readFileSync(`${os.homedir()}/.ssh/id_rsa`, 'utf8'));
console.log(fs.readFileSync(path.join(os.homedir(), '.ssh', 'id_ed25519')));
console.log(fs.readFileSync('/etc/shadow'));
