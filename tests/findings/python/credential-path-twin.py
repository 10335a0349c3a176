# expect:
import os

# ~/.aws/credentials and ~/.netrc
print(os.environ.get("HOME"), "config.json", "credentials", "kube", "/proc/self/status", ".ssh_config", "cookies.txt", "environ")
print("https://docs.aws.example/credentials", "~/.ssh/known_hosts", "~/.ssh/id_rsa.pub")
