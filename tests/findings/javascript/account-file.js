// expect: account-file:2
console.log(require('fs').readFileSync('/etc/passwd', 'utf8'));
