// expect:
import { type ExecException } from 'node:child_process';
import { exec } from './database.js';

interface Runner { exec(text: string): Promise<void>; spawn: (name: string) => void }
const failed = (error: ExecException) => error.code;
const runner: Runner = { exec: async (text) => { await exec(text); }, spawn: (name) => console.log(name) };
await runner.exec('select 1').catch(failed);
