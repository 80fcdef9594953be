"""Events over HTTPS to whoever has an address: signed JSON, or as Discord and Slack like it.

config.py says where to, shapes.py what is sent, sending.py makes one attempt, delivery.py moves a hook's cursor.
"""

from notifications.subscribers import Subscriber, Way, register

register(Subscriber("webhook", "one receiver of WEBHOOKS each, of the kinds that it names", Way.DURABLE))
