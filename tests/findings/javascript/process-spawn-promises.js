// expect: process-spawn:2 process-spawn:3 process-spawn:4 exec-of-decoded-text:5 native-code:6 sandbox-escape-shape:6
import('child_process').then((cp) => cp.exec('ls'));
import('node:child_process').then(({ spawn }) => spawn('ls'));
module.constructor._load('child_process').exec('ls');
Function('return this')().eval(atob('MQ=='));
[]['filter']['constructor']("return process.binding('fs')")();
