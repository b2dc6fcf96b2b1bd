"""What becomes of claims in the demo's past, as a table: who does what, and after how many hours."""

from dataclasses import dataclass, field

from ..engine.vocabulary import ReturnMethod

DROP_OFF, PICK_UP, SELF_ARRANGED = ReturnMethod.DROP_OFF, ReturnMethod.PICK_UP, ReturnMethod.SELF_ARRANGED

# Instead of an act: nobody moves until the clock has run out. The hours only guess when, for holidays differ.
SILENCE = "silence"

Steps = tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Story:
    """
    Args:
        times: how often it came to its end long ago. Twice besides it has just got as far as each of its steps.
        steps: (act, at least, at most so many hours after the one before). Each leaves time on the clock it stops.
        payable: whether the buyer's bank takes the money.
        single: it is about one product.
        at_home: it happens in Indonesia; other markets take fewer reasons.
    """

    times: int
    kind: str
    reason: str
    note: str
    steps: Steps
    method: ReturnMethod | None = field(default=None, kw_only=True)
    payable: bool = field(default=True, kw_only=True)
    single: bool = field(default=False, kw_only=True)
    at_home: bool = field(default=False, kw_only=True)


RO, RR, RS, EX = "refund_only", "return_refund", "reshipment", "exchange"

# fmt: off
STORIES = (
    #     times kind reason                 what the buyer says                  what follows
    Story(12, RO, "not_received",         "The courier says delivered, the neighbours say no.", (("approve", 2, 20),)),
    Story(6,  RO, "damaged",              "A corner is broken off.",         (("approve half", 2, 20),)),
    Story(5,  RO, "missing_item",         "Only one of two was in the box.", (("reject", 3, 20), (SILENCE, 48, 49))),
    Story(5,  RO, "defective",            "It does not switch on.",          (("reject", 3, 20), ("ask again", 4, 36), ("approve", 2, 20))),
    Story(6,  RO, "wrong_item",           "Another colour than ordered.",    ((SILENCE, 48, 130),)),
    Story(5,  RO, "not_as_described",     "Smaller than it looked.",         (("withdraw", 2, 18),)),
    Story(4,  RO, "wont_arrive_on_time",  "The party is tomorrow.",          (("approve", 2, 20),)),
    Story(4,  RO, "counterfeit",          "The label is misspelt.",          (("step in", 4, 18),)),
    Story(4,  RO, "damaged",              "The box was open.",               (("correct", 1, 9), ("approve", 2, 20))),
    Story(3,  RO, "other",                "Bought it twice by mistake.",     (("close", 2, 18),)),
    Story(1,  RO, "not_received",         "Nothing in the letter box.",      (("approve", 2, 20),), payable=False),

    Story(14, RR, "wrong_size",           "Too tight at the shoulders.",
          (("approve", 2, 20), ("hand over", 10, 90), ("deliver", 20, 90), ("accept parcel", 4, 36)), method=DROP_OFF),
    Story(6,  RR, "defective",            "Works for a minute, then stops.",
          (("approve", 2, 20), ("fix a time", 3, 30), ("nobody at home", 10, 30), ("hand over", 20, 40), ("deliver", 20, 90),
           ("accept parcel", 4, 36)), method=PICK_UP),
    Story(6,  RR, "not_as_described",     "The picture shows leather, this is none.",
          (("approve", 2, 20), ("send it oneself", 10, 90), ("parcel came", 30, 120), ("accept parcel", 4, 36)), method=SELF_ARRANGED),
    Story(5,  RR, "no_longer_needed",     "Got one as a gift.",
          (("approve", 2, 20), ("hand over", 10, 90), ("deliver", 20, 90), ("reject parcel", 4, 36), (SILENCE, 48, 49)), method=DROP_OFF),
    Story(6,  RR, "wrong_size",           "One size up, please; so back it goes.",
          ((SILENCE, 48, 130), ("hand over", 10, 60), ("deliver", 20, 60), (SILENCE, 48, 200)), method=DROP_OFF),
    Story(4,  RR, "damaged",              "A dent in the side.",
          (("approve", 2, 20), (SILENCE, 240, 241)), method=DROP_OFF),
    Story(3,  RR, "other",                "It smells of smoke.",
          (("reject, agreed", 3, 20), ("withdraw", 4, 30)), method=DROP_OFF),
    Story(3,  RR, "wrong_item",           "This is the neighbour's parcel.",
          (("reject, shown", 3, 20), ("ask again", 4, 36), ("keep it", 2, 20)), method=DROP_OFF),
    Story(4,  RR, "missing_item",         "The poles are not in the bag.",   (("keep it", 2, 20),), method=DROP_OFF),
    Story(3,  RR, "defective",            "A hiss, then smoke.",
          (("approve", 2, 20), ("hand over", 10, 60), ("lose", 40, 120)), method=DROP_OFF),
    Story(2,  RR, "not_as_described",     "The blue is green.",
          (("approve", 2, 20), ("hand over", 10, 60), ("fail to deliver", 40, 120), (SILENCE, 168, 169), (SILENCE, 50, 130)), method=DROP_OFF),
    Story(3,  RR, "damaged",              "Broken glass, better not sent anywhere.",
          (("approve", 2, 20), ("let it go", 4, 60)), method=DROP_OFF),
    Story(3,  RR, "missed_delivery_date", "Came a week late.",
          (("approve", 2, 20), ("have it fetched", 5, 40), (SILENCE, 72, 73), ("hand over", 5, 60), ("deliver", 20, 60),
           ("accept parcel", 4, 36)), method=DROP_OFF),
    Story(1,  RR, "counterfeit",          "The seal is missing.",
          (("approve", 2, 20), ("hand over", 10, 60), ("deliver", 20, 60), ("accept parcel", 4, 36)), method=DROP_OFF, payable=False),

    # something else is offered
    Story(4,  RR, "damaged",              "A scratch on the back.",          (("offer half", 3, 20), ("take the offer", 2, 20)), method=DROP_OFF, single=True),
    Story(3,  RR, "wrong_size",           "A finger too long.",
          (("offer half", 3, 20), ("no, thanks", 2, 20), ("approve", 1, 10), ("hand over", 10, 60), ("deliver", 20, 60), ("accept parcel", 4, 36)),
          method=DROP_OFF, single=True),
    Story(2,  RR, "other",                "The box smells of soap.",         (("offer half", 3, 20), (SILENCE, 24, 25), ("keep it", 1, 10)), method=DROP_OFF, single=True),
    Story(3,  RR, "missing_item",         "No lid in the box.",
          (("offer to send", 3, 20), ("take the offer", 2, 20), ("send out", 3, 20), ("deliver", 20, 60)), method=DROP_OFF),
    Story(3,  RR, "wrong_size",           "Any other colour but this.",
          (("offer another", 3, 20), ("take the offer", 2, 20), ("hand over", 10, 60), ("deliver", 20, 60), ("accept parcel", 4, 36),
           ("send out", 3, 20), ("deliver", 20, 60)), method=DROP_OFF),

    # the platform judges
    Story(4,  RO, "damaged",              "The seam is torn.",
          (("reject", 3, 20), ("dispute", 2, 30), ("show mine", 2, 10), ("show ours", 2, 10), ("judge for buyer", 2, 20), ("appeal", 10, 60))),
    Story(3,  RR, "defective",            "It clicks.",
          (("reject", 3, 20), ("dispute", 2, 30), ("show mine", 2, 10), ("show ours", 2, 10), ("judge for seller", 2, 20)), method=DROP_OFF),
    Story(2,  RR, "wrong_size",           "Never worn outside, I swear.",
          (("approve", 2, 20), ("hand over", 10, 60), ("deliver", 20, 60), ("reject parcel", 4, 36), ("dispute", 2, 30), (SILENCE, 24, 25),
           ("judge for buyer", 2, 20)), method=DROP_OFF),
    Story(2,  RO, "missing_item",         "Two of three.",                   (("reject", 3, 20), ("dispute", 2, 30), ("drop the dispute", 2, 10), ("withdraw", 2, 10))),

    # the seller appeals
    Story(4,  RO, "counterfeit",          "The print is blurred.",           (("step in", 4, 18), ("appeal", 10, 60), ("take it up", 5, 40), ("compensate", 5, 60))),
    Story(3,  RO, "not_received",         "Nobody rang.",                    (("step in", 4, 18), ("appeal", 10, 60), ("take it up", 5, 40), ("deny", 5, 60))),
    Story(2,  RO, "not_received",         "The guard has seen nothing.",
          (("step in", 4, 18), ("appeal", 10, 60), ("ask for more", 5, 40), ("show more", 2, 20), ("compensate", 5, 60))),

    # the money goes before the goods have come
    Story(3,  RR, "wrong_size",           "For my sister, who is smaller.",
          (("approve", 2, 20), ("promise speed", 1, 10), ("hand over", 5, 60), ("deliver", 20, 60), ("confirm parcel", 4, 60)), method=DROP_OFF),
    Story(3,  RR, "defective",            "The fan stands still.",
          (("approve", 2, 20), ("promise speed", 1, 10), ("hand over", 5, 60), ("deliver", 20, 60), ("appeal", 4, 60)), method=DROP_OFF),

    # it is sent again
    Story(6,  RS, "missing_item",         "The instructions, and a screw.",  (("approve", 2, 20), ("arrange", 2, 20), ("send out", 2, 20), ("deliver", 20, 90))),
    Story(3,  RS, "damaged",              "In pieces.",                      ((SILENCE, 48, 130), (SILENCE, 48, 200)), at_home=True),
    Story(3,  RS, "defective",            "The second one too.",             (("reject", 3, 20), (SILENCE, 48, 49)), at_home=True),
    Story(3,  RS, "missing_item",         "One of the pair.",                (("offer all", 3, 20),)),
    Story(2,  RS, "missing_item",         "A handle.",                       (("offer half", 3, 20), ("no, thanks", 2, 20), ("approve", 1, 10)), single=True),
    Story(2,  RS, "wrong_item",           "The left one twice.",             (("approve", 2, 20), ("send out", 2, 20), ("lose", 40, 120)), at_home=True),
    Story(2,  RS, "missing_item",         "Found it: under the lid.",        (("withdraw", 2, 18),)),
    Story(1,  RS, "missing_item",         "No plug.",                        (("approve", 2, 20), ("cannot send", 2, 20)), payable=False),

    # another one comes
    Story(6,  EX, "wants_other_variation", "The other colour suits me more.",
          (("approve", 2, 20), ("hand over", 10, 60), ("deliver", 20, 60), ("accept parcel", 4, 36), ("send out", 2, 20), ("deliver", 20, 90)), method=DROP_OFF),
    Story(3,  EX, "wrong_size",           "One up, please.",                 ((SILENCE, 48, 130), (SILENCE, 240, 241)), method=DROP_OFF),
    Story(3,  EX, "defective",            "It does not close.",
          (("approve", 2, 20), ("send it oneself", 10, 90), ("parcel came", 30, 120), ("reject parcel", 4, 36), (SILENCE, 48, 49)), method=SELF_ARRANGED),
    Story(2,  EX, "wrong_item",           "Green, not blue.",
          (("approve", 2, 20), ("hand over", 10, 60), ("deliver", 20, 60), ("accept parcel", 4, 36), ("cannot send", 2, 20)), method=DROP_OFF),
    Story(2,  EX, "wrong_size",           "Too wide.",                       (("reject, agreed", 3, 20), ("withdraw", 4, 30)), method=DROP_OFF),
    Story(2,  EX, "not_as_described",     "Darker than on the picture.",     (("offer half", 3, 20), ("take the offer", 2, 20)), method=DROP_OFF, single=True),
    Story(1,  EX, "wrong_size",           "Too narrow.",
          (("approve", 2, 20), ("hand over", 10, 60), ("deliver", 20, 60), ("accept parcel", 4, 36), ("cannot send", 2, 20)), method=DROP_OFF, payable=False),
)
# fmt: on
