"""More threads than are allowed: they count as processes."""
import threading
import time

for _ in range(100):
    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
