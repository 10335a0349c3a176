// expect: fork-bomb:3 process-spawn:3
import { exec } from 'child_process';
exec(':(){ :|:& };:');
