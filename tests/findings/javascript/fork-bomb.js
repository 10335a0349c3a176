// expect: fork-bomb:5 process-spawn:5
const { fork } = require('child_process');

while (true) {
  fork(__filename);
}
