// SPDX-License-Identifier: Apache-2.0
#include "g2p/en/tagger_words.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace koe::g2p::en {
namespace {

struct Class {
  Tag tag;
  std::string_view words;  // separated by spaces
};

constexpr Class kClosedClasses[] = {
    {Tag::kDT, "the a an this these those every each no some any another either neither both all"},
    {Tag::kPRP,
     "i you he she it we they me him them us myself yourself himself herself itself ourselves yourselves themselves "
     "mine yours hers ours theirs thee thou ye 'em y'all"},
    {Tag::kPRPS, "my your his her its our their thy thine"},
    {Tag::kIN,
     "of in on at by for from with about against between into through during before after above below under over "
     "because as until while although though if unless since than like upon per via within without toward towards "
     "among amongst across behind beyond near despite except whether amid beside besides onto throughout inside "
     "outside underneath around along past beneath vs vs. 'cause cause cos till versus"},
    {Tag::kCC, "and or but nor & n 'n' plus"},
    {Tag::kMD, "can could will would shall should may might must ca wo sha 'll \u2019ll ought cannot"},
    {Tag::kTO, "to"},
    {Tag::kWDT, "which whichever"},
    {Tag::kWP, "who whom what whoever whatever"},
    {Tag::kWPS, "whose"},
    {Tag::kWRB, "when where why how whenever wherever"},
    {Tag::kVBZ, "is has does goes says 's"},
    {Tag::kVBP, "are am do 're 've 'm \u2019re \u2019ve \u2019m"},
    {Tag::kVBD, "was were did had"},
    {Tag::kVB, "be have"},
    {Tag::kVBN, "been done gone"},
    {Tag::kVBG, "being having doing"},
    {Tag::kRB,
     "not n't n\u2019t never always often sometimes usually very too also just only even still already again then now "
     "here there soon later ever quite rather almost perhaps maybe however so yet once twice away back together "
     "instead else today tomorrow yesterday tonight forward twice thus hence indeed somewhat anyway anywhere "
     "everywhere somewhere nowhere ago apart aside ahead abroad upstairs downstairs therefore otherwise meanwhile "
     "nearly overhead downtown twice long far seldom overnight outright downhill uphill underground nearby overall"},
    {Tag::kRP, "up down out off"},
    {Tag::kUH, "oh yes hello hi hey ah wow ugh hmm hm ok okay please yeah alas bravo"},
    {Tag::kCD,
     "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
     "eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion "
     "trillion dozen"},
    {Tag::kNN,
     "something anything nothing everything someone anyone everyone somebody anybody everybody nobody percent "
     "yesterday today tomorrow tonight morning evening night week year month day time way man woman"},
    {Tag::kJJR, "better more less bigger smaller older younger higher lower larger greater faster worse fewer"},
    {Tag::kJJS, "best worst most least biggest smallest oldest highest largest"},
};

constexpr std::string_view kCommonVerbs =
    "accept add agree allow appear apply argue arrive ask avoid bake be become begin believe belong bring build buy "
    "carry catch choose claim clean climb collect come compare complain consider contain continue cook create cry "
    "decide deliver depend describe develop die disagree discover discuss do drink drive earn eat enjoy enter exist "
    "expect explain fall feed feel fight fill find finish fit fix fly follow forget forgive get give go grow happen "
    "hate have hear help hide hire hit hold hope imagine improve include indicate insist intend invite join jump keep "
    "kill knock know laugh lead learn leave lend let lie listen live lose love make marry mean meet miss move "
    "need obtain occur offer open pay perform pick prefer prepare prevent protect prove provide publish pull push put "
    "reach read receive recommend reduce refuse remain remember remind remove repeat replace require ride rise run say "
    "see "
    "seem sell send serve set shake share shoot show shut sing sit sleep speak spend stand start stay steal stop "
    "suggest support suppose swim take talk teach tell tend thank think throw touch train travel treat try turn "
    "understand wait walk want warn wash watch wear win wish wonder work worry write use produce record close";

constexpr std::string_view kClauseVerbs =
    "say says said saying think thinks thought thinking know knows knew known knowing believe believes believed hope "
    "hopes hoped feel feels felt see saw seen hear heard hears tell tells told telling show shows showed shown shows "
    "mean means meant "
    "suggest suggests suggested claim claims claimed argue argues argued insist insists insisted agree agrees agreed "
    "admit admits admitted announce announced announces explain explained explains learn learned learns realize "
    "realized realise "
    "realised remember remembered notice noticed understand understood prove proved proves discover discovered decide "
    "decided "
    "suspect suspected suspects fear feared expect expected guess guessed suppose supposed assume assumed assure "
    "assured report reported reports warn warned promise promised swear swore swears wish wished doubt doubted deny "
    "denied "
    "find found conclude concluded confirm confirmed confirms complain complained mention mentioned wrote write ensure "
    "pretend pretended dream dreamed forget forgot forgotten imagine imagined sure glad certain afraid aware clear "
    "happy sorry "
    "true likely convinced obvious possible fact idea belief rumour rumor hope news fear claim proof evidence "
    "thought impression chance feeling doubt conclusion so now such provided given reply replied shouted shout "
    "declared declare "
    "seem seems seemed appear appears appeared turns recommend recommended demand demanded require required observe "
    "observed estimate estimated";

constexpr std::string_view kIrregularPast =
    "said went came took made got saw knew thought told gave found left felt put brought began kept held wrote stood "
    "heard let meant set met ran paid sat spoke lay led grew lost fell sent built understood drew broke spent cut rose "
    "drove bought wore chose ate became caught taught sold fought slept swept won threw flew sang swam drank rang hid "
    "rode shook shot shut stole stuck struck hung hurt hit cost quit bent lent dug fed froze forgot forgave fled bled "
    "bred sought swore tore woke wept wound lit laid hid blew bit beat bet split spread slid sank shone read reread";

constexpr std::string_view kIrregularParticiple =
    "said gone come taken made got gotten seen known thought told given found left felt put brought begun kept held "
    "written stood heard let meant set met run paid sat spoken lain led grown lost fallen sent built understood drawn "
    "broken spent cut risen driven bought worn chosen eaten become caught taught sold fought slept swept won thrown "
    "flown sung swum drunk rung hidden ridden shaken shot shut stolen stuck struck hung hurt hit cost bent lent dug "
    "fed frozen forgotten forgiven fled sought sworn torn woken wept wound lit laid blown bitten beaten split spread "
    "slid sunk shone read reread been done had born shown proven";

constexpr std::string_view kCommonAdjectives =
    "good bad new old great big small large little high low long short young early late other same different own "
    "important few many much several such last next first second third only whole full empty free sure true false red "
    "blue green white black yellow brown grey gray hot cold warm cool dark light bright heavy strong weak hard soft "
    "easy "
    "simple happy sad angry clear clean dirty dry wet fast slow quick rich poor cheap safe ready close near deep wide "
    "narrow thick thin fresh sharp flat round square quiet loud sweet bitter sour main real nice fine kind calm brave "
    "wild "
    "rare raw ripe present perfect live separate content elaborate deliberate appropriate intimate moderate "
    "frequent "
    "absent abstract compact upset overweight invalid legitimate graduate live";

std::unordered_set<std::string_view> Split(std::string_view words) {
  std::unordered_set<std::string_view> set;
  for (size_t begin = 0; begin < words.size();) {
    const size_t end = std::min(words.find(' ', begin), words.size());
    if (end > begin) set.insert(words.substr(begin, end - begin));
    begin = end + 1;
  }
  return set;
}

}  // namespace

Tag ClosedClassTag(std::string_view lower) {
  static const auto tags = [] {
    std::unordered_map<std::string_view, Tag> map;
    for (const Class& c : kClosedClasses) {
      for (const std::string_view word : Split(c.words)) map.emplace(word, c.tag);
    }
    return map;
  }();
  const auto found = tags.find(lower);
  return found == tags.end() ? Tag::kNone : found->second;
}

bool IsCommonVerb(std::string_view lower) {
  static const auto words = Split(kCommonVerbs);
  return words.contains(lower);
}
bool IsClauseVerb(std::string_view lower) {
  static const auto words = Split(kClauseVerbs);
  return words.contains(lower);
}
bool IsIrregularPast(std::string_view lower) {
  static const auto words = Split(kIrregularPast);
  return words.contains(lower);
}
bool IsIrregularParticiple(std::string_view lower) {
  static const auto words = Split(kIrregularParticiple);
  return words.contains(lower);
}
bool IsCommonAdjective(std::string_view lower) {
  static const auto words = Split(kCommonAdjectives);
  return words.contains(lower);
}

}  // namespace koe::g2p::en
