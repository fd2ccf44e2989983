from bargein_client.pipecat import BargeinProcessor, BargeinUserTurnStartStrategy
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.transports.base_transport import BaseTransport
from pipecat.turns.user_turn_strategies import UserTurnStrategies


def make_pipeline(
    transport: BaseTransport,
    stt: FrameProcessor,
    llm: FrameProcessor,
    tts: FrameProcessor,
    url: str,
) -> Pipeline:
    params = LLMUserAggregatorParams(
        vad_analyzer=SileroVADAnalyzer(),
        user_turn_strategies=UserTurnStrategies(start=[BargeinUserTurnStartStrategy()]),
    )
    user, assistant = LLMContextAggregatorPair(LLMContext(), user_params=params)
    bargein = BargeinProcessor(url)  # before the user aggregator
    hears_bot = bargein.loudspeaker()  # right behind the output: knows the bot's echo
    mouth = [llm, tts, transport.output(), hears_bot, assistant]
    return Pipeline([transport.input(), stt, bargein, user, *mouth])
