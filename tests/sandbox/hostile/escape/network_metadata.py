"""The metadata service of a cloud, with the machine's credentials."""
import urllib.request

try:
    urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=1)
except OSError:
    print("contained")
