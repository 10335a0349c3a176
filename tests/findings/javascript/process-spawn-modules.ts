// expect: process-spawn:9 process-spawn:10 process-spawn:11 process-spawn:13
import { execFile as run, type ExecException } from 'node:child_process';
import * as processes from 'child_process';
import execa from 'execa';

function report(error: ExecException | null, out: string): void {
  console.log(error, out);
}
run('ls', ['-l'], report);
processes.spawn('ls');
await execa('ls');
const late = await import('child_process');
late.exec('ls');
