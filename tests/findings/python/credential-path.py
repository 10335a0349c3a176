# expect: credential-path:6 credential-path:7 credential-path:8 credential-path:9 credential-path:10 credential-path:11 credential-path:12 credential-path:15 credential-path:16 credential-path:17 credential-path:18
import os

HOME = os.path.expanduser("~")
for path in [
    "/.aws/credentials",
    "/.netrc",
    "/.docker/config.json",
    "/.kube/config",
    "/.config/gcloud/credentials.db",
    "/.git-credentials",
    "/.mozilla/firefox",
]:
    print(open(HOME + path).read())
print(open("/proc/self/environ").read())
print(open("/var/run/secrets/kubernetes.io/serviceaccount/token").read())
print(os.path.exists("/var/run/docker.sock"))
print("keys in ~/.ssh/config, if there are any")
