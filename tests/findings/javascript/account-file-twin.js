// expect:
// /etc/passwd
console.log('passwd', 'see /etc/passwd');
