"""Who is in the demo. The passwords are public, so the demo serves on this machine only."""

DEMO_ACCOUNTS = [
    # username, password, role
    ("maya", "maya-keeps-the-circle", "manager"),
    ("lena", "lena-reads-every-tale", "labeler"),
    ("luis", "luis-likes-short-verse", "labeler"),
    ("rita", "rita-looks-a-second-time", "reviewer"),
]
