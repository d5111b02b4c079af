#include "umbranet/extraction/person_lexicon.h"

#include <array>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "umbranet/base/text_analysis.h"

namespace umbranet {
namespace {

using WordSet = std::unordered_set<std::string_view>;

struct KinEntry {
  std::string_view word;
  Kin kin;
};

constexpr Gender kF = Gender::kFemale;
constexpr Gender kM = Gender::kMale;
constexpr Gender kU = Gender::kUnknown;

constexpr std::array kKin = std::to_array<KinEntry>({
    {"mother", {"mother", kF, false}},
    {"mom", {"mother", kF, false}},
    {"mum", {"mother", kF, false}},
    {"mommy", {"mother", kF, false}},
    {"mama", {"mother", kF, false}},
    {"father", {"father", kM, false}},
    {"dad", {"father", kM, false}},
    {"daddy", {"father", kM, false}},
    {"papa", {"father", kM, false}},
    {"parent", {"parent", kU, false}},
    {"parents", {"parent", kU, true}},
    {"folks", {"parent", kU, true}},
    {"stepmother", {"stepmother", kF, false}},
    {"stepmom", {"stepmother", kF, false}},
    {"stepfather", {"stepfather", kM, false}},
    {"stepdad", {"stepfather", kM, false}},
    {"sister", {"sister", kF, false}},
    {"sis", {"sister", kF, false}},
    {"brother", {"brother", kM, false}},
    {"bro", {"brother", kM, false}},
    {"sibling", {"sibling", kU, false}},
    {"twin", {"twin", kU, false}},
    {"wife", {"wife", kF, false}},
    {"husband", {"husband", kM, false}},
    {"hubby", {"husband", kM, false}},
    {"spouse", {"spouse", kU, false}},
    {"partner", {"partner", kU, false}},
    {"girlfriend", {"girlfriend", kF, false}},
    {"boyfriend", {"boyfriend", kM, false}},
    {"fiance", {"fiance", kU, false}},
    {"fianc\xC3\xA9", {"fiance", kM, false}},
    {"fiancee", {"fiance", kF, false}},
    {"fianc\xC3\xA9"
     "e",
     {"fiance", kF, false}},
    {"ex", {"ex", kU, false}},
    {"ex-wife", {"ex-wife", kF, false}},
    {"ex-husband", {"ex-husband", kM, false}},
    {"ex-girlfriend", {"ex-girlfriend", kF, false}},
    {"ex-boyfriend", {"ex-boyfriend", kM, false}},
    {"son", {"son", kM, false}},
    {"daughter", {"daughter", kF, false}},
    {"child", {"child", kU, false}},
    {"children", {"child", kU, true}},
    {"kid", {"child", kU, false}},
    {"kids", {"child", kU, true}},
    {"toddler", {"child", kU, false}},
    {"newborn", {"child", kU, false}},
    {"stepson", {"stepson", kM, false}},
    {"stepdaughter", {"stepdaughter", kF, false}},
    {"grandmother", {"grandmother", kF, false}},
    {"grandma", {"grandmother", kF, false}},
    {"granny", {"grandmother", kF, false}},
    {"nana", {"grandmother", kF, false}},
    {"grandfather", {"grandfather", kM, false}},
    {"grandpa", {"grandfather", kM, false}},
    {"granddad", {"grandfather", kM, false}},
    {"grandparents", {"grandparent", kU, true}},
    {"grandson", {"grandson", kM, false}},
    {"granddaughter", {"granddaughter", kF, false}},
    {"grandchildren", {"grandchild", kU, true}},
    {"grandkids", {"grandchild", kU, true}},
    {"grandchild", {"grandchild", kU, false}},
    {"aunt", {"aunt", kF, false}},
    {"auntie", {"aunt", kF, false}},
    {"uncle", {"uncle", kM, false}},
    {"cousin", {"cousin", kU, false}},
    {"niece", {"niece", kF, false}},
    {"nephew", {"nephew", kM, false}},
    {"mother-in-law", {"mother-in-law", kF, false}},
    {"father-in-law", {"father-in-law", kM, false}},
    {"sister-in-law", {"sister-in-law", kF, false}},
    {"brother-in-law", {"brother-in-law", kM, false}},
    {"in-laws", {"in-laws", kU, true}},
    {"family", {"family", kU, true}},
    {"friend", {"friend", kU, false}},
    {"bestie", {"friend", kU, false}},
    {"roommate", {"roommate", kU, false}},
    {"flatmate", {"roommate", kU, false}},
    {"housemate", {"roommate", kU, false}},
    {"boss", {"boss", kU, false}},
    {"manager", {"manager", kU, false}},
    {"colleague", {"colleague", kU, false}},
    {"coworker", {"colleague", kU, false}},
    {"co-worker", {"colleague", kU, false}},
    {"neighbor", {"neighbor", kU, false}},
    {"neighbour", {"neighbor", kU, false}},
    {"mentor", {"mentor", kU, false}},
    {"coach", {"coach", kU, false}},
    {"teammate", {"teammate", kU, false}},
    {"classmate", {"classmate", kU, false}},
    {"godmother", {"godmother", kF, false}},
    {"godfather", {"godfather", kM, false}},
    {"landlord", {"landlord", kU, false}},
});

struct ClassEntry {
  NounClass noun_class;
  std::initializer_list<std::string_view> words;
};

const std::unordered_map<std::string_view, NounClass>& Classes() {
  static const std::unordered_map<std::string_view, NounClass> table = [] {
    const std::array<ClassEntry, 12> entries = {{
        {NounClass::kPet,
         {"dog",       "cat",     "puppy",      "pup",      "kitten",     "kitty",    "pet",
          "parrot",    "hamster", "rabbit",     "bunny",    "iguana",     "goldfish", "turtle",
          "tortoise",  "snake",   "lizard",     "ferret",   "horse",      "pony",     "poodle",
          "labrador",  "beagle",  "bulldog",    "pitbull",  "chihuahua",  "corgi",    "husky",
          "retriever", "terrier", "dachshund",  "pug",      "tabby",      "parakeet", "canary",
          "cockatiel", "gerbil",  "chicken",    "goat",     "pig",        "pooch",    "doggy",
          "doggo",     "mutt",    "gecko",      "hedgehog", "chinchilla", "guinea",   "budgie",
          "schnauzer", "spaniel", "rottweiler", "collie",   "dane",       "donkey",   "cow",
          "bird",      "spider",  "tarantula",  "frog",     "rat",        "mouse",    "alpaca",
          "llama",     "sheep",   "duck",       "goose",    "rooster",    "hen",      "macaw",
          "cockatoo",  "python",  "greyhound",  "malamute", "pomeranian", "yorkie",   "mastiff",
          "dalmatian", "pony",    "shepherd"}},
        {NounClass::kVehicle,
         {"car",         "truck",       "motorcycle", "motorbike", "bike",     "bicycle",
          "van",         "suv",         "jeep",       "boat",      "scooter",  "minivan",
          "sedan",       "convertible", "camper",     "rv",        "honda",    "toyota",
          "ford",        "bmw",         "mustang",    "tesla",     "audi",     "porsche",
          "ferrari",     "corvette",    "prius",      "civic",     "subaru",   "volkswagen",
          "vw",          "chevy",       "chevrolet",  "mercedes",  "harley",   "nissan",
          "mazda",       "volvo",       "jaguar",     "kia",       "hyundai",  "lexus",
          "dodge",       "camaro",      "plane",      "yacht",     "sailboat", "kayak",
          "hatchback",   "pickup",      "moped",      "vespa",     "canoe",    "tractor",
          "lamborghini", "bentley",     "cadillac",   "buick",     "pontiac",  "chrysler",
          "acura",       "ducati",      "vehicle",    "limousine", "trike",    "wagon",
          "ute",         "dirtbike",    "motorboat"}},
        {NounClass::kOwnable,
         {"house",      "apartment", "condo",       "cottage",    "cabin",       "garden",
          "farm",       "ranch",     "guitar",      "piano",      "computer",    "laptop",
          "phone",      "iphone",    "camera",      "studio",     "shop",        "store",
          "restaurant", "bakery",    "business",    "company",    "wheelchair",  "collection",
          "telescope",  "tattoo",    "pool",        "xbox",       "playstation", "ps5",
          "tv",         "tablet",    "drone",       "greenhouse", "workshop",    "boutique",
          "cafe",       "gym",       "salon",       "blog",       "podcast",     "website",
          "rolex",      "watch",     "gun",         "violin",     "keyboard",    "bookstore",
          "flat",       "mansion",   "mobile",      "trailer",    "tent",        "surfboard",
          "skateboard", "snowboard", "synthesizer", "necklace",   "backpack",    "kindle",
          "printer",    "vineyard",  "purse",       "ipad",       "medal",       "trophy",
          "helmet",     "rifle",     "tractor",     "wardrobe",   "fishtank",    "bookshop"}},
        {NounClass::kBody,
         {"hair",  "eye",  "beard",  "freckle", "nail",     "leg",    "arm",      "skin",
          "teeth", "foot", "feet",   "hand",    "mustache", "tattoo", "piercing", "dreadlock",
          "scar",  "curl", "muscle", "finger",  "toe",      "nose",   "ear",      "head"}},
        {NounClass::kIllness,
         {"asthma",   "diabetes",   "allergy",   "allergies",    "cancer",     "arthritis",
          "anxiety",  "depression", "adhd",      "autism",       "dyslexia",   "migraine",
          "insomnia", "epilepsy",   "celiac",    "hypertension", "anemia",     "ptsd",
          "ocd",      "eczema",     "vertigo",   "surgery",      "transplant", "fibromyalgia",
          "headache", "lupus",      "pneumonia", "bronchitis",   "concussion", "scoliosis",
          "tinnitus", "gout",       "psoriasis", "cold",         "flu",        "covid"}},
        {NounClass::kSchool,
         {"homeschool", "school", "college", "university", "kindergarten", "academy", "preschool",
          "harvard", "yale", "stanford", "mit", "grade", "uni"}},
        {NounClass::kDegree,
         {"degree", "phd", "masters", "master", "bachelor", "bachelors", "mba", "diploma",
          "doctorate"}},
        {NounClass::kInstrument,
         {"guitar",    "piano",    "violin",     "drum",     "flute",    "saxophone",
          "trumpet",   "cello",    "bass",       "ukulele",  "clarinet", "harp",
          "banjo",     "keyboard", "instrument", "trombone", "viola",    "harmonica",
          "accordion", "sax",      "tuba",       "mandolin"}},
        {NounClass::kSport,
         {"soccer",   "football",   "basketball", "tennis",  "golf",     "baseball",
          "hockey",   "volleyball", "rugby",      "cricket", "chess",    "badminton",
          "softball", "lacrosse",   "squash",     "poker",   "karate",   "boxing",
          "bowling",  "ping-pong",  "pool",       "darts",   "handball", "billiards"}},
        {NounClass::kWorkplace,
         {"hospital",  "bank",      "factory", "store",       "shop",       "restaurant",
          "library",   "office",    "company", "firm",        "mall",       "hotel",
          "bakery",    "cafe",      "clinic",  "startup",     "agency",     "museum",
          "salon",     "garage",    "plant",   "supermarket", "starbucks",  "walmart",
          "mcdonalds", "google",    "amazon",  "microsoft",   "target",     "diner",
          "bar",       "zoo",       "farm",    "school",      "university", "college",
          "gym",       "warehouse", "station", "lab",         "laboratory", "church",
          "airport",   "theater",   "grocery", "nonprofit",   "studio",     "pharmacy",
          "bookstore", "bistro"}},
        {NounClass::kNone, {}},
        {NounClass::kNone, {}},
    }};
    std::unordered_map<std::string_view, NounClass> map;
    for (const ClassEntry& entry : entries) {
      for (const std::string_view word : entry.words) {
        map.emplace(word, entry.noun_class);
      }
    }
    return map;
  }();
  return table;
}

const WordSet& Jobs() {
  static const WordSet words = {
      "nurse",         "doctor",       "teacher",      "engineer",     "lawyer",
      "attorney",      "accountant",   "writer",       "author",       "artist",
      "painter",       "musician",     "singer",       "dancer",       "actor",
      "actress",       "chef",         "cook",         "baker",        "waiter",
      "waitress",      "bartender",    "barista",      "cashier",      "clerk",
      "secretary",     "receptionist", "manager",      "programmer",   "developer",
      "designer",      "architect",    "carpenter",    "plumber",      "electrician",
      "mechanic",      "driver",       "pilot",        "sailor",       "soldier",
      "cop",           "policeman",    "firefighter",  "paramedic",    "dentist",
      "vet",           "veterinarian", "scientist",    "biologist",    "chemist",
      "physicist",     "researcher",   "professor",    "lecturer",     "tutor",
      "librarian",     "journalist",   "reporter",     "editor",       "photographer",
      "model",         "farmer",       "gardener",     "florist",      "barber",
      "hairdresser",   "stylist",      "tailor",       "butcher",      "salesman",
      "saleswoman",    "salesperson",  "realtor",      "broker",       "banker",
      "analyst",       "consultant",   "entrepreneur", "ceo",          "cto",
      "director",      "producer",     "pharmacist",   "therapist",    "psychologist",
      "counselor",     "surgeon",      "optometrist",  "athlete",      "trainer",
      "instructor",    "nanny",        "babysitter",   "housewife",    "homemaker",
      "janitor",       "cleaner",      "maid",         "guard",        "detective",
      "judge",         "politician",   "priest",       "pastor",       "nun",
      "monk",          "translator",   "interpreter",  "welder",       "builder",
      "contractor",    "freelancer",   "intern",       "apprentice",   "assistant",
      "administrator", "technician",   "operator",     "dj",           "comedian",
      "magician",      "rapper",       "drummer",      "guitarist",    "pianist",
      "violinist",     "blogger",      "youtuber",     "gamer",        "streamer",
      "planner",       "strategist",   "economist",    "statistician", "mathematician",
      "historian",     "philosopher",  "poet",         "novelist",     "sculptor",
      "jeweler",       "fisherman",    "lifeguard",    "referee",      "caretaker",
      "caregiver",     "midwife",      "astronaut",    "geologist",    "archaeologist",
      "botanist",      "zoologist",    "dietitian",    "nutritionist", "seamstress",
      "bookkeeper",    "auditor",      "paralegal",    "landscaper",   "roofer",
      "technologist",  "coder",        "marketer",     "recruiter",    "filmmaker",
      "cameraman",     "animator",     "illustrator",  "mailman",      "postman",
      "stockbroker",   "trader",       "plumber",      "principal",    "coach",
      "boxer",         "wrestler",     "swimmer",      "jockey",       "stripper",
      "bouncer",       "dishwasher",   "hostess",      "server",       "truckdriver",
      "trucker",       "security",     "supervisor"};
  return words;
}

}  // namespace

std::string_view SingularOf(std::string_view noun) {
  const auto ends = [noun](std::string_view suffix) {
    return noun.size() > suffix.size() + 1 && noun.ends_with(suffix);
  };
  if (ends("sses") || ends("xes") || ends("shes") || ends("ches")) {
    return noun.substr(0, noun.size() - 2);
  }
  if (ends("s") && !ends("ss") && !ends("us") && !ends("is")) {
    return noun.substr(0, noun.size() - 1);
  }
  return noun;
}

Kin KinOf(std::string_view word) {
  static const std::unordered_map<std::string_view, Kin> table = [] {
    std::unordered_map<std::string_view, Kin> map;
    for (const KinEntry& entry : kKin) {
      map.emplace(entry.word, entry.kin);
    }
    return map;
  }();
  if (const auto found = table.find(word); found != table.end()) {
    return found->second;
  }
  const std::string_view singular = SingularOf(word);
  if (singular != word) {
    if (const auto found = table.find(singular); found != table.end()) {
      Kin kin = found->second;
      kin.plural = true;
      return kin;
    }
  }
  return {};
}

bool IsSharedByAll(std::string_view relation) {
  static const WordSet words = {
      "mother", "father",    "parent",   "family", "grandmother", "grandfather", "grandparent",
      "friend", "colleague", "neighbor", "boss",   "manager",     "classmate",   "teammate"};
  return words.contains(relation);
}

NounClass ClassOf(std::string_view noun) {
  const auto& table = Classes();
  if (const auto found = table.find(noun); found != table.end()) {
    return found->second;
  }
  std::string_view singular = SingularOf(noun);
  if (noun.ends_with("ies") && noun.size() > 4) {
    // "puppies", "ponies": the table holds the y form.
    const std::string y_form = std::string(noun.substr(0, noun.size() - 3)) + "y";
    const auto found = table.find(std::string_view(y_form));
    return found == table.end() ? NounClass::kNone : found->second;
  }
  const auto found = table.find(singular);
  return found == table.end() ? NounClass::kNone : found->second;
}

bool IsWorkplace(std::string_view noun) {
  static const WordSet owned = {"shop",     "store",    "restaurant", "bakery", "company",
                                "business", "farm",     "ranch",      "salon",  "studio",
                                "workshop", "boutique", "vineyard",   "cafe",   "bookstore",
                                "gym",      "bookshop", "greenhouse"};
  const NounClass noun_class = ClassOf(noun);
  return noun_class == NounClass::kWorkplace || noun_class == NounClass::kSchool ||
         owned.contains(noun) || owned.contains(SingularOf(noun));
}

bool IsJob(std::string_view noun) {
  return Jobs().contains(noun) || Jobs().contains(SingularOf(noun));
}

bool IsDiet(std::string_view word) {
  static const WordSet words = {"vegan",       "vegetarian", "pescatarian", "vegetarians", "vegans",
                                "gluten-free", "kosher",     "halal",       "keto",        "paleo",
                                "flexitarian", "veggie",     "carnivore",   "meatless"};
  return words.contains(word);
}

bool IsBelief(std::string_view word) {
  static const WordSet words = {"christian",    "catholic",  "muslim",    "jewish",    "buddhist",
                                "hindu",        "atheist",   "agnostic",  "mormon",    "baptist",
                                "protestant",   "lutheran",  "jew",       "sikh",      "republican",
                                "democrat",     "feminist",  "spiritual", "religious", "liberal",
                                "conservative", "socialist", "pagan",     "quaker"};
  return words.contains(word);
}

bool IsNationality(std::string_view word) {
  static const WordSet words = {
      "american",   "british",    "english",  "french",     "german",    "italian",   "spanish",
      "mexican",    "canadian",   "chinese",  "japanese",   "korean",    "indian",    "irish",
      "scottish",   "welsh",      "polish",   "russian",    "ukrainian", "dutch",     "swedish",
      "norwegian",  "danish",     "finnish",  "greek",      "turkish",   "brazilian", "argentinian",
      "portuguese", "australian", "african",  "asian",      "hispanic",  "latino",    "latina",
      "vietnamese", "thai",       "filipino", "cuban",      "puerto",    "jamaican",  "nigerian",
      "egyptian",   "israeli",    "iranian",  "pakistani",  "austrian",  "swiss",     "belgian",
      "czech",      "hungarian",  "romanian", "colombian",  "peruvian",  "chilean",   "caucasian",
      "european",   "kenyan",     "moroccan", "indonesian", "malaysian"};
  return words.contains(word);
}

bool IsMaritalStatus(std::string_view word) {
  static const WordSet words = {"married", "single",    "divorced",  "engaged",
                                "widowed", "separated", "unmarried", "widow",
                                "widower", "newlywed",  "bachelor",  "divorcee"};
  return words.contains(word);
}

bool IsPhysicalAdjective(std::string_view word) {
  static const WordSet words = {
      "tall",     "short",  "blonde",      "blond",        "brunette",   "redhead",  "bald",
      "skinny",   "thin",   "fat",         "chubby",       "overweight", "obese",    "muscular",
      "slim",     "petite", "handsome",    "pale",         "freckled",   "curly",    "curvy",
      "athletic", "strong", "left-handed", "right-handed", "ginger",     "plump",    "blind",
      "deaf",     "tan",    "pretty",      "sick",         "lanky",      "gorgeous", "attractive",
      "tattooed", "sickly", "hairy"};
  return words.contains(word);
}

bool IsColor(std::string_view word) {
  static const WordSet words = {"red",    "blue",  "green",     "yellow",  "orange", "purple",
                                "pink",   "black", "white",     "brown",   "gray",   "grey",
                                "silver", "gold",  "turquoise", "teal",    "violet", "maroon",
                                "navy",   "beige", "lavender",  "magenta", "cyan",   "indigo"};
  return words.contains(word);
}

bool IsLanguage(std::string_view word) {
  static const WordSet words = {
      "english",    "spanish",   "french",    "german",    "italian", "portuguese", "russian",
      "chinese",    "mandarin",  "cantonese", "japanese",  "korean",  "arabic",     "hindi",
      "dutch",      "polish",    "swedish",   "greek",     "turkish", "hebrew",     "latin",
      "vietnamese", "thai",      "urdu",      "bengali",   "farsi",   "czech",      "finnish",
      "danish",     "norwegian", "swahili",   "ukrainian", "welsh",   "irish",      "catalan"};
  return words.contains(word);
}

Gender GenderOfNoun(std::string_view word) {
  static const WordSet female = {"woman", "girl", "female", "lady", "gal"};
  static const WordSet male = {"man", "boy", "male", "guy", "dude", "gentleman"};
  if (female.contains(word)) {
    return Gender::kFemale;
  }
  return male.contains(word) ? Gender::kMale : Gender::kUnknown;
}

bool IsCommonWord(std::string_view word) {
  static const WordSet words = {
      "i",        "the",     "a",          "an",        "my",         "we",         "he",
      "she",      "they",    "it",         "you",       "yes",        "no",         "ok",
      "okay",     "hi",      "hey",        "hello",     "wow",        "thanks",     "thank",
      "sorry",    "well",    "oh",         "yeah",      "sure",       "great",      "awesome",
      "cool",     "nice",    "good",       "congrats",  "sounds",     "what",       "how",
      "why",      "when",    "where",      "who",       "that",       "this",       "there",
      "these",    "those",   "and",        "but",       "so",         "because",    "if",
      "then",     "also",    "just",       "really",    "definitely", "absolutely", "totally",
      "glad",     "happy",   "love",       "lol",       "haha",       "btw",        "omg",
      "can",      "do",      "did",        "is",        "are",        "was",        "have",
      "let",      "been",    "got",        "not",       "never",      "always",     "maybe",
      "actually", "monday",  "tuesday",    "wednesday", "thursday",   "friday",     "saturday",
      "sunday",   "january", "february",   "march",     "april",      "may",        "june",
      "july",     "august",  "september",  "october",   "november",   "december",   "english",
      "spanish",  "french",  "christmas",  "easter",    "at",         "in",         "on",
      "for",      "with",    "to",         "of",        "our",        "his",        "her",
      "their",    "your",    "appreciate", "exactly",   "amazing",    "hope",       "take",
      "any",      "all",     "some",       "as",        "by",         "from",       "here",
      "it's",     "keep",    "looks",      "yep",       "yup",        "nope",       "later",
      "god",      "dr",      "mr",         "mrs",       "ms",         "bye",        "looking",
      "thinking", "going",   "having",     "being",     "every",      "each",       "one",
      "two",      "last",    "next",       "today",     "tomorrow",   "yesterday",  "tonight",
      "now",      "since",   "after",      "before",    "while",      "even",       "still",
      "only",     "such",    "seeing",     "cannot",    "would",      "could",      "should",
      "will",     "am"};
  return words.contains(word) || IsStopWord(word);
}

}  // namespace umbranet
