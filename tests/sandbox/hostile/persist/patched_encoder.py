"""Change how values of later programs are encoded."""
import json.encoder

json.encoder.JSONEncoder.encode = lambda self, value: "42"
json.encoder.c_make_encoder = None
