"""What an answer hands over between words: the text of its last fenced block."""

FENCE = "```"


def handed_over(answer: str) -> str:
    """The last closed block between fences of Markdown; the whole answer where there is none."""
    found = answer
    block: list[str] | None = None
    for line in answer.splitlines():
        if not line.lstrip().startswith(FENCE):
            if block is not None:
                block.append(line)
        elif block is None:
            block = []
        else:
            found, block = "\n".join(block) + "\n", None
    return found
