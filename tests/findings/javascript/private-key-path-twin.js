// expect:
/* ~/.ssh/id_rsa */
console.log('drop-shadow', '/etc/hosts', 'id_rsa', /\/etc\/shadow/.test(process.argv[2]));
