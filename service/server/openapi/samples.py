"""Holds the small inputs that the examples send: one for each kind of preprocessing."""

import base64
import functools

from service.inference.card import Card
from service.inference.preprocessing import decode_image, prepare_digit, prepare_garment
from service.server.protocols.common.endpoint import Sample

_REVIEW = "A wonderful film: funny, warm and very well acted."

# PNG files in base64. The digit comes from the UCI Pen-Based Recognition of Handwritten Digits set
# (CC BY 4.0), the boot from Fashion-MNIST (MIT), each with fewer grey levels; the cat is our own drawing.
_DIGIT = (
    "iVBORw0KGgoAAAANSUhEUgAAADgAAAA4BAMAAABaqCYtAAAAGFBMVEX////+/v78/Pze3t5tbW0TExMCAgIAAAD+u9DHAAAB5klE"
    "QVR42u2UzW8SQRjGn1lXy/rBvovRCIfdZUkP9CCkcPFiQuu/bPRQTXozUdq0iR8HgYWUlhjpzCwxAdLs66UkOAP+Acb3MpP85pln"
    "8rwzA/yTFdBW5FQhki1YEBKC8wcVqwnNDojl9Dxfg+5qkXjVBNBTSNecVsLHDQmWtdZoTXnndny2W6CBLsuKq+YmFLOO+Pzl6mpP"
    "07e56SlA3FWA6OTa9hSKsyBITpQOyTotKKdryFj7JaEMJbMSDEAokQ/I3JZ1FsUAg91DbSpDBQIch6i23yRDqSS3RyiOIhFlTEYI"
    "y0lH33gP2t6OfnSamp7hELV02PB18Sg14wM79eCyXVgUj87YgsvJ3jKoz/3uh0jZysj1Kzrovo9TqytAlnYUxq+rqd1sIHyiwN3q"
    "AHbwcC4OBDmJwiYYHsriGe9r2gCdi4bov6PZS9pwTaJd8j/du/Grb9mCwml542MxeZE9XLtDt9uKLMp7ocyH3MosTyaVn6ec90nY"
    "B/IDAgjZiZo9j03Ppa7T+EeVn7r0SykzISbdRh/yblw6NpXsu37FKwdeqbxzaj+kaVPWcK0SKe0QFpf3E1ZOWQbfYfcz+LpwygV4"
    "vTfKbpmMP+ZTQfKnrza9+yqABGLLl1FKAiT0l98G/8uo31vKvN2S91xQAAAAAElFTkSuQmCC"
)
_GARMENT = (
    "iVBORw0KGgoAAAANSUhEUgAAABwAAAAcBAMAAACAI8KnAAAAMFBMVEXd3d29vb2tra2lpaWenp6ZmZmQkJCFhYV8fHxycnJqampb"
    "W1szMzMKCgoBAQEAAAAy6RXvAAAA1klEQVR42rWQMU7DUBBEZz/uCHg/Sh1ZvoAF4gC0KVKlRLkJh+EGSZkGIdyBkLGgIbJiO9Ah"
    "yF8rDZHw3xQEiQt4qjd6zWhI8T8G3VcV3yLYc/MZRNge/FkucvgU9LtK/dXH6uzufm+bAjVmEQwAccppsoFd1wYQts3P83EcihdS"
    "wBHPN9uX8q03CuBgUbxrQeDBtRFr/eNtWDY3xPYo4KVbP1kXoq88/TZtldVc5lrFlUlA6fyCVMqvLANwSK9D6Y95MRXjgR60fThl"
    "0GWl0cn5hDp7cgeWpVwAYuhyTgAAAABJRU5ErkJggg=="
)
_PHOTO = (
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABABAMAAABYR2ztAAAAMFBMVEXT2ayuupKxtKCqtJeqtJaptJamtH6xqpSXmXyEeWx4b2N6"
    "bmZ4bmR3bWN2amJMRT46SHr5AAAD1UlEQVR42r2VW2gcVRjHf2c2bW7N7kwaLVa6md3QEJGGsJEKRkOariCiBCQVQSmhYLQgGvTB"
    "+pYXEVQ04JPFW+uLYqPF5kVM29iagiabNBeVlmY7u20tUTdzNjF0c5vjw2azM5PgY+dlLt9vvsv/fOc7Is7/Xxp3DbD9BtsLZJ/J"
    "eu2hvSGvh3hYd9tFOu4LsRhPuYFgvGP9KRAFECuvPbjgJjLdVwPZnKeKGy/KjSBCPdvor6JkZHtHCjAMILjY1d9WMKzf5dzp7ssa"
    "SRuiWEdXrisfoHO1rf0zq72ZxDWtvuM4WR+gUN8dXjCizSSS9v6/pcAHAH9N7T9wbqJV7/6H97dcC83RAQHCMrcCxOPFMjt1ZXkA"
    "JZD1weJvqSOgS6+H6qfdUv9m+kM4nZ61qOr0A8LbECKlewF9cysJT5LV0m9XEekSSs+/KTuk2cLOP1cLlwcZBZygSrA2TkKmkkBU"
    "FQGx+BQka24Gq9FMIlbrwSQMd+gbgBIazkMjLdNVKMlE65n+gxZmXikNIFQnufnrT9t+nLLA2XdKvPBpKyqWLeYQk07LuW1i7WwT"
    "BEYvd3FtwFJ1xRykTuAsYK4GITUEAUabEGoDmK8lJWnDZABaAIEKMl9bAIS2B9aVspxChzFp6htl6gWxQ6aWLQgtimWiEW5iiCHt"
    "MZg2wSGQxvQudw1AfRrCR8DhgOVbbm3qjZWVwGGAP5u+OP3wPtPfk3sWe+XbQ0oqufpcZVnHpLftHdBWL5ozkTpgbDDmDJlg+bpa"
    "q1WRuq9jNe/FquW8CShsQMTBkC832QDz068CD1xIgYHBS9j5EAnmknU6sNxe2sNS35ddkHAslSAKJSBwZjIJwLjNSiR7m7cq5LqY"
    "+SRVM/d2zcxZ2L04VqiPpexOsxmWx4ohpiu1yCGWjsGHR4HFGN9gL/ebMVkoU2Uyo+SAFR14twIwZtuzMl+FJPIxJNVwD5TO6lB+"
    "C8gcGy8kOeeMTnVhuPbEcUD1R9HlepI7txvY5DYIAy1y5RDY+RC2MOQPwL9hCKV0aBxijjelxMhLbegq/HkyOVNKmr4xGukZS8od"
    "aWEY61ID4sbPFtrJUG82nM3ptyy0gUn33kTdf7IV5/Xwwgc0XGm0YPf3untWgxh/Psed+96BTNmExDgxixfgntST0nlix3kaLv1R"
    "pl34qszfUfODJ0w1/sovn1zKSK1isBa/B3YNVzx6J1nZ8Ht5bOSjNJuBpV3ncyWPGOW7q06dSYeKk8h1sIasvU0G9tq3WogtAfTr"
    "+ZGpXN9K3INLVus2hvIMtBLvaLM3naB34ez+D46zc9Isw8owAAAAAElFTkSuQmCC"
)
_PICTURES = {"digit": _DIGIT, "garment": _GARMENT, "photo": _PHOTO}
_GREY = {"digit": prepare_digit, "garment": prepare_garment}


def make_sample(card: Card) -> Sample:
    """Return an input for a model; networks of colour pictures have too many pixels for an example."""
    kind = card.input.preprocessing
    return Sample(card, _PICTURES.get(kind, _REVIEW), _levels(kind) if kind in _GREY else None)


@functools.cache
def _levels(kind: str) -> list[int]:
    picture = decode_image(base64.b64decode(_PICTURES[kind]))
    return [int(level) for level in _GREY[kind](picture).ravel()]
