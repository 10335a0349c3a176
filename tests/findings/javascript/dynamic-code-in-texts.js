// expect: process-spawn:2 native-code:3
eval("require('child_process').execSync('ls')");
new Function('return process.binding("fs")')();
