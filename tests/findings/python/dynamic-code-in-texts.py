# expect: process-spawn:2 process-spawn:3
exec("import os; os.system('ls')")
eval("__import__('os').popen('ls')")
