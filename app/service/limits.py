"""What one visitor, and all of them together, may hold of the server; each limit with its reason.

A visitor is counted by session and by address: a session's name is the browser's own choice, so anybody can invent many, and an address
may be a whole school's, so its limits are several times those of a session.
"""

# Requests and connections
EVENT_BYTES = 100_000
"""An event holds numbers and names; the largest, an outline of a region, has a few kilobytes."""
PICTURE_BYTES = 60_000_000
"""A photograph of a hundred megapixels as JPEG, or a lossless one of twenty."""
MODEL_BYTES = 300_000_000
"""The largest usual classifiers, such as VGG16 without its dense layers or ConvNeXt Base in half precision."""
BODY_BYTES = 180_000_000
"""Of all request bodies in memory at once: three of the largest pictures, and with what surrounds them less than 300 MB."""
BODY_BYTES_PER_ADDRESS = 120_000_000
"""Two of the largest pictures, so that one address alone never takes the whole budget."""
BODY_IDLE_SECONDS = 20.0
"""A phone that changes its network is silent for some seconds; longer than this it has left."""
BODY_SECONDS = 600.0
"""For a whole body, 300 MB at 4 Mbit/s: sending one byte at a time holds no place for longer."""
CONNECTIONS = 1000
"""A page holds two connections open; each costs the server about 50 kB."""
CONNECTIONS_PER_ADDRESS = 250
"""A class of forty behind one address with several pages each."""
HEAD_SECONDS = 20.0
"""A connection over which no request has arrived by then is closed."""
REQUESTS_PER_ADDRESS = 200
"""Under way at once behind a proxy, where all connections are the proxy's own."""
UNREAD_MESSAGES_PER_SESSION = 64
"""That wait for a page to read them before it may send another event; a painting is one, of 5 to 100 kB."""
UNREAD_MESSAGES = 4000
"""Of all sessions; where there are more, a page may leave no more than a few unread."""
UNREAD_MESSAGES_SMALL = 8
GRADIO_SESSIONS = 2000
"""Whose values Gradio keeps, about 80 kB each, until the next sweep; among them those of visitors whom the page refuses."""

# Sessions
MAX_SESSIONS = 500
"""Each keeps a picture and its answer, about a megabyte."""
SESSIONS_PER_ADDRESS = 120
"""A class of forty with three pages each; a store that is full takes five addresses at least."""
SESSION_IDLE_SECONDS = 3600.0
"""A lunch break; the page promises it."""
SESSION_GRACE_SECONDS = 900.0
"""A session that was used more recently never makes room for another."""
SESSION_PICTURE_BYTES = 512 * 1024 * 1024
"""Of all sessions' own pictures; an average photograph has 4 MB."""
MAX_VISITS = 12
"""Own pictures of one session that it can go back to: as many as a rail shows."""
VISIT_BYTES = 64 * 1024 * 1024
"""Of those pictures together: sixteen average photographs."""
THUMB_SIDE = 96
"""Pixels of a thumbnail."""

# Pictures that were uploaded and wait for their session
WAITING_PICTURE_SECONDS = 600.0
"""The event that takes a picture follows within a second; ten minutes allow for a lost connection."""
WAITING_PICTURE_BYTES = 256 * 1024 * 1024
"""Four of the largest, so that one inspection's pictures fit beside others."""
WAITING_PICTURE_BYTES_PER_ADDRESS = 128 * 1024 * 1024
"""Half, so that one address never drops another's pictures."""
WAITING_PICTURES_PER_ADDRESS = 96
"""Four inspections of 24 pictures."""

# Uploaded models
MAX_MODELS = 3
"""Each holds a process of up to 6 GB."""
MODELS_PER_OWNER = 1
"""Of one session, claimed; the newest takes the older one's place."""
MODELS_PER_ADDRESS = 2
"""So that one place remains for others."""
UPLOADED_PIXELS = 1024 * 1024
"""Of a picture of an uploaded model; each of its maps and masks takes memory in proportion. Usual networks take 224 to 600 a side."""
MODEL_UNCLAIMED_SECONDS = 300.0
"""The event that claims a model follows within a second of its last byte."""
MODEL_SECONDS = 3600.0
"""As long as a session without events."""

# Work
PREDICTIONS_AT_ONCE = 4
"""Of bundled classifiers; a prediction takes milliseconds."""
UPLOADED_AT_ONCE = 1
"""Predictions, and explanations, of all uploaded models together: they have threads of their own and never hold a bundled one's."""
UPLOADED_BUDGET_SECONDS = 30.0
"""The longest explanation by an uploaded model."""
UPLOADED_ANSWER_SECONDS = 30.0
"""For one evaluation of an uploaded model, a batch of images at most."""
UPLOADED_OPENING_SECONDS = 90.0
"""From the static check to the first answer, after TensorFlow has started: a network of 300 MB takes a third of it on two slow cores."""
UPLOADED_ABANDONED_SECONDS = 5.0
"""After which an evaluation that nobody waits for any more is ended with its process; most end by themselves before."""
UPLOADED_NICER = 10
"""By how much the priority of an uploaded model's process is lower than the server's."""
UPLOADED_YIELD_SECONDS = 2.0
"""How long an uploaded model gives way to explanations by bundled ones, after each new state of its maps, before it goes on."""
METRIC_YIELD_SECONDS = 2.0
"""How long a metric that a visitor has asked for gives way to maps before each of its batches."""
EXPLANATIONS_SHARE = 0.75
"""Of the places in the queue that one address may hold, so that there is one for others."""
