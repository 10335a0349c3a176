// the environment that every program has, and that of the request over it
// environment = { LC_ALL = "C", HOME = "/tmp" }
const os = require('os');
const { HOME, LANG, PATH, LC_ALL, USER } = process.env;
console.log(HOME, LANG, PATH.split(':'), LC_ALL, USER, os.homedir());
process.env.PATH += ':/opt';
process.env.HOME = '/work/home';
console.log(process.env.PATH, os.homedir(), 'HOME' in process.env, Object.keys(process.env).includes('LANG'));
