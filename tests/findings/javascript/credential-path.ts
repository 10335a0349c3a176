// expect: credential-path:5 credential-path:6 credential-path:7 credential-path:8 credential-path:9 credential-path:12
import { readFileSync } from 'node:fs';

const files: string[] = [
  '.aws/credentials',
  '.npmrc',
  '.docker/config.json',
  '.config/google-chrome/Default/Cookies',
  '/proc/self/environ',
];
for (const file of files) console.log(readFileSync(file, 'utf8'));
console.log(readFileSync('/var/run/docker.sock'));
