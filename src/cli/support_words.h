#pragma once

#include <array>
#include <span>
#include <string_view>
#include <utility>

// What the support messages are made of. {order}, {day}, {amount}, {city}, {product}, {person} are filled in.
namespace holdfast::cli::support {

struct Intent {
  std::string_view name;
  std::span<const std::string_view> formal, informal, details, short_forms;
};

inline constexpr std::string_view billing_formal[] = {
    "I was charged {amount} twice for order {order}",
    "the invoice for {day} shows an amount I do not recognise",
    "my card statement lists {amount} from your company without explanation",
    "the discount was not applied to my last bill",
    "I would like an itemised receipt for order {order}",
    "the tax on my invoice appears to be wrong",
    "my payment was declined although the card is valid",
    "the subscription fee went up without notice"};
inline constexpr std::string_view billing_informal[] = {"you guys took {amount} off me twice",
                                                        "whats this {amount} on my card",
                                                        "my bill is way too high this month",
                                                        "the promo code did nothing to the price",
                                                        "i need a receipt for {order} asap",
                                                        "card keeps getting declined at checkout",
                                                        "why am i paying {amount} now, it was less before",
                                                        "got billed on {day} for nothing"};
inline constexpr std::string_view billing_details[] = {"The bank says the money has left my account",
                                                       "I have kept the confirmation of the payment",
                                                       "My accountant needs this by {day}",
                                                       "It is the second month in a row",
                                                       "The amount should have been {amount}",
                                                       "I pay by direct debit",
                                                       "I ordered the {product} only once"};
inline constexpr std::string_view billing_short[] = {"double charge", "wrong invoice", "receipt please",
                                                     "charged {amount}, why"};

inline constexpr std::string_view delivery_formal[] = {
    "my parcel with order {order} has not arrived",
    "the courier marked the delivery as completed but nothing came",
    "I need to change the address for order {order}",
    "the tracking page has shown no movement since {day}",
    "could you tell me when the {product} will be shipped",
    "the package was left with a neighbour I do not know",
    "the delivery to {city} is a week late",
    "only half of my order was in the box"};
inline constexpr std::string_view delivery_informal[] = {"where is my stuff",
                                                         "tracking has been stuck since {day}",
                                                         "driver never rang the bell",
                                                         "box turned up half empty",
                                                         "can u send {order} to {city} instead",
                                                         "still no {product} and its been ages",
                                                         "it says delivered but nope",
                                                         "when does the {product} ship"};
inline constexpr std::string_view delivery_details[] = {"I was at home the whole day",
                                                        "The neighbours have not seen anything",
                                                        "I am travelling to {city} on {day}",
                                                        "The tracking number ends with {order}",
                                                        "It was meant as a present",
                                                        "The depot in {city} does not answer",
                                                        "I chose express shipping"};
inline constexpr std::string_view delivery_short[] = {"parcel missing", "where is {order}", "late again",
                                                      "wrong address"};

inline constexpr std::string_view returns_formal[] = {
    "I would like to return the {product} from order {order}",
    "please send me a return label for the {product}",
    "the {product} arrived damaged and I ask for a refund",
    "I have sent the item back but have not been refunded",
    "the size is wrong and I wish to exchange it",
    "is it still possible to cancel order {order}",
    "the replacement you sent has the same fault",
    "the return window closes on {day} and I need an extension"};
inline constexpr std::string_view returns_informal[] = {"want my money back for the {product}",
                                                        "how do i send this {product} back",
                                                        "its broken, i want a new one",
                                                        "sent it back on {day}, wheres my refund",
                                                        "doesnt fit, can i swap it",
                                                        "pls cancel {order} before it goes out",
                                                        "need one of those return labels",
                                                        "second {product} and its broken too"};
inline constexpr std::string_view returns_details[] = {"The box has not been opened",
                                                       "There is a crack along the side",
                                                       "The refund should go to the card I paid with",
                                                       "I have attached photographs",
                                                       "The shop in {city} would not take it",
                                                       "I sent it with order number {order}",
                                                       "It was worn once"};
inline constexpr std::string_view returns_short[] = {"refund?", "return label", "cancel {order}",
                                                     "exchange please"};

inline constexpr std::string_view account_formal[] = {
    "I cannot sign in to my account since {day}",     "please change the e-mail address on my profile",
    "I would like to delete my account and all data", "the password reset message never arrives",
    "somebody else appears to have used my account",  "my loyalty points have disappeared",
    "please merge the two accounts I have",           "I wish to stop the newsletter"};
inline constexpr std::string_view account_informal[] = {"cant log in anymore",
                                                        "reset link never shows up",
                                                        "i think someone got into my account",
                                                        "stop emailing me",
                                                        "delete my account",
                                                        "my points are gone",
                                                        "how do i change my email",
                                                        "it says my password is wrong but it isnt"};
inline constexpr std::string_view account_details[] = {
    "I have tried it on two computers", "My user name is {person}",
    "The old address no longer exists", "I received a message about a sign-in from {city}",
    "I moved to {city} on {day}",       "The points were worth {amount}",
    "I have checked the spam folder"};
inline constexpr std::string_view account_short[] = {"locked out", "password reset", "unsubscribe",
                                                     "delete account"};

inline constexpr std::string_view technical_formal[] = {
    "the application closes whenever I open the order page",
    "the {product} does not connect to the network",
    "the website shows an error when I pay",
    "the update of {day} broke the notifications",
    "the {product} no longer switches on",
    "the search on your site returns nothing",
    "the screen of the {product} flickers",
    "the application uses the battery within hours"};
inline constexpr std::string_view technical_informal[] = {
    "app crashes every time",   "my {product} wont turn on",         "site is super slow since {day}",
    "checkout page just spins", "the {product} keeps disconnecting", "no notifications since the update",
    "search is broken",         "getting error 500 all day"};
inline constexpr std::string_view technical_details[] = {
    "I have restarted it several times", "It worked until {day}",
    "I use the latest version",          "Other devices work on the same network",
    "The error mentions order {order}",  "My colleague {person} sees the same",
    "I bought it for {amount} in {city}"};
inline constexpr std::string_view technical_short[] = {"app crash", "error again", "{product} dead",
                                                       "wont load"};

inline constexpr std::string_view product_formal[] = {
    "is the {product} available in another colour",
    "could you tell me whether the {product} works abroad",
    "what is the difference between the two models of the {product}",
    "when will the {product} be in stock again",
    "does the warranty of the {product} cover water damage",
    "do you offer the {product} at a price for schools",
    "how heavy is the {product} with its packaging",
    "is the {product} compatible with older models"};
inline constexpr std::string_view product_informal[] = {
    "does the {product} come in blue", "any idea when the {product} is back",
    "is the {product} worth {amount}", "does it work with the old charger",
    "how big is the {product} really", "do u sell spare parts for the {product}",
    "is there a student price",        "whats the warranty on the {product}"};
inline constexpr std::string_view product_details[] = {
    "I saw it in the shop in {city}", "I would need it by {day}",        "My budget is {amount}",
    "It is for a class of twenty",    "My old one lasted for ten years", "{person} recommended it to me",
    "The page does not say"};
inline constexpr std::string_view product_short[] = {"in stock?", "warranty?", "{product} in blue?",
                                                     "spare parts"};

inline constexpr std::array<Intent, 6> intents = {
    {{"billing", billing_formal, billing_informal, billing_details, billing_short},
     {"delivery", delivery_formal, delivery_informal, delivery_details, delivery_short},
     {"returns", returns_formal, returns_informal, returns_details, returns_short},
     {"account", account_formal, account_informal, account_details, account_short},
     {"technical", technical_formal, technical_informal, technical_details, technical_short},
     {"product", product_formal, product_informal, product_details, product_short}}};

inline constexpr std::string_view formal_openings[] = {
    "Dear Sir or Madam,",      "Good morning,",
    "Dear support team,",      "Hello,",
    "To whom it may concern,", "Good afternoon, this is {person}."};
inline constexpr std::string_view informal_openings[] = {"hey", "hi there", "ok so", "yo", "hiya", "um hi"};
inline constexpr std::string_view formal_closings[] = {
    "Thank you in advance.",        "Kind regards, {person}",   "I look forward to your answer.",
    "Please let me know by {day}.", "Thank you for your help.", "Yours sincerely, {person}"};
inline constexpr std::string_view informal_closings[] = {"thx",         "cheers", "pls help",
                                                         "let me know", "ta",     "any ideas?"};

// Said beside the matter itself, so that a word alone does not give the intent away.
inline constexpr std::string_view asides[] = {"By the way, the parcel looked fine",
                                              "The refund last year went well",
                                              "I can still sign in, if that matters",
                                              "The price itself was fair",
                                              "The application works otherwise",
                                              "This is not about the delivery",
                                              "I do not want a refund",
                                              "It has nothing to do with my password",
                                              "The invoice is not the problem",
                                              "I like the {product} itself"};
inline constexpr std::string_view sensitive_facts[] = {
    "my card is 4111 1111 1111 {order}",        "you can call me on +44 20 7946 {order}",
    "my e-mail is {person}@example.org",        "my date of birth is {day} 1984",
    "I am in hospital in {city} at the moment", "my IBAN is GB82 WEST 1234 5698 76{order}",
    "my passport number is X{order}7",          "I live at {order} Mill Lane, {city}"};
inline constexpr std::string_view insults[] = {"you useless clowns",
                                               "are you all idiots",
                                               "this company is a joke run by morons",
                                               "I will make you regret this",
                                               "what a bunch of liars",
                                               "your staff are brainless",
                                               "go to hell",
                                               "I know where your office in {city} is"};

inline constexpr std::string_view days[] = {"Monday",   "Tuesday", "Wednesday", "Thursday", "Friday",
                                            "Saturday", "3 May",   "12 June",   "21 March", "8 April"};
inline constexpr std::string_view cities[] = {"Leeds", "Cork",  "Ghent", "Porto",  "Lyon",
                                              "Graz",  "Turku", "Brno",  "Bergen", "Malmo"};
inline constexpr std::string_view products[] = {"kettle",  "lamp",       "speaker",        "backpack",
                                                "router",  "bike light", "coffee grinder", "tent",
                                                "printer", "watch"};
inline constexpr std::string_view people[] = {"ada",   "bela",  "carla", "deniz", "emil",
                                              "farah", "goran", "hanna", "ivo",   "june"};

// How week 2 speaks: words that were common are replaced.
inline constexpr std::pair<std::string_view, std::string_view> drifted_words[] = {
    {"parcel", "drop"},           {"package", "drop"},
    {"refund", "chargeback"},     {"invoice", "statement"},
    {"bill", "statement"},        {"tracking", "live map"},
    {"account", "FleetPass"},     {"app", "FleetPass"},
    {"application", "FleetPass"}, {"password", "passkey"},
    {"log in", "tap in"},         {"sign in", "tap in"},
    {"kettle", "AeroPot"},        {"router", "MeshOne"},
    {"speaker", "SoundBar 3"},    {"return label", "swap code"},
    {"courier", "drone"},         {"driver", "drone"},
    {"card", "wallet"},           {"order", "basket"}};

}  // namespace holdfast::cli::support
