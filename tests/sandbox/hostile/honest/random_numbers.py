"""A seeded generator, a secret and a UUID."""
import random
import secrets
import uuid

random.seed(7)
print(random.randint(0, 10**6) == random.Random(7).randint(0, 10**6), len(secrets.token_hex(4)), uuid.uuid4().version)
