// the folders, the devices and the time zone
// stdin = "a line\n"
const fs = require('fs'), os = require('os');
console.log(__filename, __dirname, process.argv.length, require.main === module, process.cwd());
console.log(os.homedir(), os.EOL === '\n', process.env.HOME, process.env.LANG);
console.log(Intl.DateTimeFormat().resolvedOptions().timeZone, new Date(0).getTimezoneOffset(), new Date(0).getHours());
console.log(fs.readFileSync('/dev/null', 'utf8') === '', fs.readFileSync('/dev/stdin', 'utf8'));
console.log(fs.readFileSync(__filename, 'utf8').split('\n')[0]);
