"""Every platform by its name."""

from bargein_client.bridges.audiosocket import AudioSocket
from bargein_client.bridges.exotel import Exotel
from bargein_client.bridges.genesys import Genesys
from bargein_client.bridges.jambonz import Jambonz
from bargein_client.bridges.platform import Platform
from bargein_client.bridges.plivo import Plivo
from bargein_client.bridges.telnyx import Telnyx
from bargein_client.bridges.twilio import Twilio
from bargein_client.bridges.vonage import Vonage

PLATFORMS: dict[str, type[Platform]] = {
    platform.name: platform
    for platform in (Twilio, Telnyx, Plivo, Exotel, Vonage, Jambonz, Genesys, AudioSocket)
}
