"""The report in French."""

from __future__ import annotations

from lab.render import scene
from lab.render.diagram_svg import DrawingWords
from lab.report.french_faults import FAULT_WORDS
from lab.report.french_phrases import PHRASES
from lab.report.words import FaultWords, Plural, Words

FRENCH = Words(
    code="fr",
    decimal=",",
    singular=frozenset((0, 1)),
    months=(
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
    date="{day} {month} {year} à {hour:02d}:{minute:02d}:{second:02d} UTC",
    list_last="{rest} et {last}",
    seconds="{value} s",
    milliseconds="{value} ms",
    range="{low} à {high} s",
    span="entre {low} et {high} s",
    vhid="{vhid} ({network})",
    colon="{what} : {text}",
    kicker="Compte rendu de basculement",
    account="Ce qui s’est passé, en clair",
    done="Ce qui a été fait",
    happened="Ce que le cluster a fait",
    clients="Ce que chaque machine a vu",
    judged="Est-ce conforme à la prévision ?",
    drawing="Le labo",
    timeline="Qui était maître, et ce qui a été perdu",
    figures="Mesures et prévisions",
    hand_overs="Changements de maître",
    probes="Sondes",
    streams="Connexions établies",
    invariants="Ce qui doit rester vrai",
    records="Annonces et événements",
    method="Comment on a mesuré",
    files="Fichiers de cet essai",
    verdicts={"pass": "Conforme", "unexplained": "Inexpliqué", "fail": "Non conforme"},
    verdict_lines={
        "pass": "Tout s’est passé comme le prévoient la loi de CARP et cette topologie.",
        "unexplained": "Ce qui devait arriver est arrivé, mais pas au moment prévu, et rien de ce qui a été mesuré "
        "à côté ne l’explique.",
        "fail": "Il s’est passé quelque chose d’imprévu, ou quelque chose de prévu ne s’est pas passé.",
    },
    met=Plural("{met} prévision vérifiée sur {count}", "{met} prévisions vérifiées sur {count}"),
    facts_lab="Labo",
    facts_stage="Étape",
    facts_began="Début",
    facts_length="Durée",
    facts_firewall="Pare-feu",
    facts_host="Hôte",
    firewalls={"standin": "doublure (pas pfSense)", "pfsense": "pfSense 2.7.0"},
    accelerators={"tcg": "émulation (TCG)", "kvm": "KVM"},
    host="{accelerator}, lenteur mesurée {slowness}",
    tile_take_over="Le secours prend la relève après",
    tile_outage="Plus longue coupure d’un client",
    tile_return="Le maître revient à",
    tile_lost="Anciennes connexions perdues",
    tile_law="prévu : {law}",
    tile_of="sur {count} que les règles autorisent",
    tile_none="rien n’a bougé",
    tile_broken="Invariants rompus par la panne",
    tile_healed="Invariants de nouveau vrais",
    tile_of_looked="sur {count} vérifiés",
    intro=Plural(
        "Le {date}, sur le labo {topology} à l’étape {stage}, une sonde a interrogé le réseau à travers le cluster, "
        "d’abord sans "
        "perturbation pendant {quiet}.",
        "Le {date}, sur le labo {topology} à l’étape {stage}, {count} sondes lancées sur les machines {machines} "
        "ont interrogé le "
        "réseau à travers le cluster, d’abord sans perturbation pendant {quiet}.",
    ),
    intro_invariants=Plural(
        "Le {date}, sur le labo {topology} à l’étape {stage}, un invariant a été vérifié avant toute intervention.",
        "Le {date}, sur le labo {topology} à l’étape {stage}, {count} invariants ont été vérifiés avant toute intervention.",
    ),
    firewall_notes={
        "standin": "Les deux pare-feu sont des doublures : de petites machines Linux qui obéissent à une "
        "configuration pfSense et "
        "respectent les règles et les délais de CARP tels que FreeBSD les définit. Ce n’est pas pfSense, et les "
        "temps de démarrage "
        "leur sont propres.",
        "pfsense": "Les deux pare-feu sont des pfSense 2.7.0.",
    },
    faults=FAULT_WORDS,
    fault_other=FaultWords("{fault}", "Ensuite, on a fait ceci : {fault}.", "tout a été remis en état"),
    zero="Cet instant, tel qu’on le lit sur le réseau, est le zéro de toutes les horloges de cette page.",
    undone_after="Après {seconds}, {undone}.",
    undone_itself="La panne a pris fin d’elle-même.",
    teaches="Ce que cela enseigne : {text}.",
    called="Connu ailleurs sous le nom : {text}.",
    moved=Plural(
        "Le VHID {vhids} est passé du nœud {old} au nœud {new}, {span} après la panne.",
        "Les VHID {vhids} sont passés du nœud {old} au nœud {new}, {span} après la panne.",
    ),
    returned=Plural(
        "Le VHID {vhids} est revenu du nœud {old} au nœud {new}, {span} après la remise en état.",
        "Les VHID {vhids} sont revenus du nœud {old} au nœud {new}, {span} après la remise en état.",
    ),
    stayed=Plural("Le VHID {vhids} est resté au nœud {old}.", "Les VHID {vhids} sont restés au nœud {old}."),
    vanished=Plural("Le VHID {vhids} n’a plus eu de maître.", "Les VHID {vhids} n’ont plus eu de maître."),
    causes={
        "master silent": "Un nœud de secours prend la relève quand il n’a rien entendu pendant 3 × advbase + "
        "advskew/256, soit ici "
        "{patience}. Depuis la dernière annonce de l’ancien maître, il s’est écoulé {silence}.",
        "master demoted": "L’ancien maître a annoncé aussitôt qu’il était devenu moins bon ; l’autre a pris la "
        "relève sans attendre "
        "de silence.",
        "preempted at the next advert": "L’annonce suivante de l’ancien maître portait un plus mauvais biais ; "
        "l’autre a pris la "
        "relève en l’entendant.",
        "frozen master goes on": "Le nœud figé a repris comme si de rien n’était et, pour un instant, il y a eu "
        "deux maîtres.",
        "stays": "",
        "no node left": "",
    },
    back_causes={
        "master silent": "Aucun nœud n’était maître ; le premier revenu a donc attendu sa propre patience de "
        "{patience}.",
        "master demoted": "Le nœud en place était devenu moins bon et l’a annoncé aussitôt.",
        "preempted at the next advert": "Le nœud qui revient est mieux classé : il prend la relève dès la première "
        "annonce qu’il "
        "entend du nœud en place, {silence} après celle-ci.",
        "frozen master goes on": "Le nœud figé a repris, et son annonce suivante l’a emporté : {silence} après la "
        "dernière de "
        "l’autre.",
        "stays": "",
        "no node left": "",
    },
    law_says="La loi prévoit {law} après la panne, selon l’instant où elle tombe entre deux annonces.",
    law_return="Ce délai dépend du démarrage du nœud, qu’aucune loi ne prévoit.",
    no_split="À aucun moment deux nœuds n’ont été maîtres du même VHID.",
    split="Le VHID {vhid} sur {network} a eu deux maîtres, {nodes}, pendant {milliseconds} ; la loi ne prévoit rien "
    "de tel.",
    split_allowed="Le VHID {vhid} sur {network} a eu deux maîtres, {nodes}, pendant {milliseconds}, comme la loi le "
    "prévoit ici.",
    client="Machine {machine}",
    asks={
        "gateway": "Ping vers sa passerelle",
        "icmp:old": "Ping vers {target}, commencé avant la panne",
        "icmp:new": "Ping vers {target}, commencé après la relève",
        "tcp:fresh": "Nouvelles connexions vers {target}, port TCP {port}",
        "tcp:stream": "Longue connexion vers {target}, port TCP {port}",
        "udp:datagram": "Datagrammes numérotés vers {target}, port UDP {port}",
        "tcp:download": "Téléchargement depuis {target}, port TCP {port}",
        "other": "{id}",
    },
    lane_asks={
        "gateway": "ping passerelle",
        "icmp:old": "ping {target}",
        "icmp:new": "ping {target}, nouveau",
        "tcp:fresh": "connexion {target}:{port}",
        "tcp:stream": "flux {target}:{port}",
        "udp:datagram": "datagrammes {target}:{port}",
        "tcp:download": "téléchargement {target}:{port}",
        "other": "{id}",
    },
    fates={
        "outage": "Interrompu, puis rétabli. Raison : {reason}. Prévu : {law}.",
        "survives": "Indemne. Raison : {reason}.",
        "lost": "Plus aucune réponse jusqu’à la remise en état. Raison : {reason}.",
        "denied": "Interdit par les règles, et jamais de réponse.",
        "thinned": "Des réponses manquent tout au long. Raison : {reason}.",
        "slowed": "Toutes les réponses sont arrivées, mais plus tard. Raison : {reason}.",
        "stream": "Connexions ouvertes avant la panne.",
        "unexpected": "Contraire à la prévision.",
    },
    line_outage=Plural(
        "{what} : {outage} sans réponse, {count} question perdue.",
        "{what} : {outage} sans réponse, {count} questions perdues.",
    ),
    line_lost=Plural("{what} : {count} question perdue.", "{what} : {count} questions perdues."),
    line_gone_on="{what} : {lost} questions perdues ; réponses de nouveau {seconds} après la remise en état.",
    line_plain="{what}.",
    line_back="{what} : {outage} sans réponse, {lost} questions perdues ; {back} au retour.",
    line_problem="{what} : {problem}.",
    stream_lines={
        "survived": "{what} : aucun arrêt.",
        "stalled": "{what} : arrêt de {stall}, puis reprise.",
        "lost": "{what} : rupture, plus aucun octet n’est arrivé. Raison : {reason}.",
        "unexpected": "{what} : {problem}.",
    },
    back_quiet="Au retour, rien n’a été perdu.",
    all_met="Les {count} prévisions se sont toutes vérifiées.",
    unmet=Plural(
        "Une prévision sur {total} ne s’est pas vérifiée :", "{count} prévisions sur {total} ne se sont pas vérifiées :"
    ),
    explained="Le plus grand écart à la loi est de {miss} ({what}). Il est expliqué : les arrêts de l’hôte, "
    "l’attente d’un processeur par les "
    "machines et le retard des minuteries, mesurés pendant le même essai, justifient jusqu’à {allowance}.",
    nothing_to_explain="Aucune mesure ne sort de la loi ; il n’y a donc rien à expliquer.",
    stalled="L’hôte lui-même s’est figé au plus {fault} autour de la panne, et {total} sur tout l’essai.",
    dropped=Plural("La capture a perdu {count} trame.", "La capture a perdu {count} trames."),
    invariants_hold=Plural(
        "Le seul invariant vérifié était comme il devait être.",
        "Les {count} invariants vérifiés étaient comme ils devaient être.",
    ),
    invariants_broken=Plural(
        "Tant qu’elle a duré, un invariant n’a pas tenu, comme prévu : {names}.",
        "Tant qu’elle a duré, {count} invariants n’ont pas tenu, comme prévu : {names}.",
    ),
    invariants_healed=Plural(
        "Ensuite, le seul invariant a tenu de nouveau.", "Ensuite, les {count} invariants ont tous tenu de nouveau."
    ),
    invariant="{name} ({subject} : {seen})",
    charts={"whole": "L’essai entier", "fault": "La panne, de près", "return": "Le retour, de près"},
    chart_texts={
        "whole": "Du début sans perturbation au dernier regard.",
        "fault": "Les traits sont les annonces. La bande pâle est la fenêtre que prévoit la loi, comptée depuis la "
        "panne ; la bande "
        "cernée est comptée depuis la dernière annonce entendue.",
        "return": "Les traits sont les annonces.",
    },
    vhid_lane="VHID {vhid} sur {network}",
    machine_lane="Machine {machine}",
    axis="secondes depuis la panne",
    legend={
        "n0": "{node} est maître",
        "n1": "{node} est maître",
        "presumed": "jusqu’à l’annonce suivante attendue",
        "law": "prévu",
        "due": "prévu depuis la dernière annonce",
        "answered": "répondu",
        "lost": "sans réponse",
        "split": "deux maîtres",
        "arp": "ARP gratuit",
    },
    fault_line="panne",
    undone_line="remise en état",
    no_series="Les questions des sondes, une à une, n’ont pas été conservées avec cet essai ; leurs coupures "
    "figurent dans le tableau plus bas.",
    hand_over_head=(
        "",
        "VHID",
        "Maître",
        "Après l’événement",
        "Prévu",
        "Après la dernière annonce",
        "Prévu",
        "Jugement",
    ),
    probe_head=("Sonde", "Attendu", "Coupure", "Prévu", "Perdues", "Au retour", "Jugement"),
    stream_head=(
        "Connexion",
        "Attendu",
        "Constaté",
        "Arrêt",
        "Retransmission suivante",
        "Octets avant / pendant / après",
        "Jugement",
    ),
    invariant_head=("Quand", "Invariant", "Sujet", "Attendu", "Constaté", "Jugement"),
    record_head=("Instant", "Où", "Quoi", ""),
    phases={"fault": "panne", "return": "retour"},
    stays="{old} reste",
    moves="{old} → {new}",
    endless="sans fin",
    no_answer="aucune réponse",
    nothing="–",
    again_after="reprise après {seconds}",
    as_law="comme prévu",
    off_by="écart {miss}, expliqué (jusqu’à {allowance})",
    fate_names={
        "survives": "indemne",
        "outage": "coupure",
        "lost": "perdue",
        "denied": "interdite",
        "thinned": "en perd",
        "slowed": "ralentie",
    },
    stream_names={"survived": "survit", "stalled": "s’arrête", "lost": "perdue"},
    looks={"before": "avant", "during": "pendant la panne", "after": "après"},
    yes="oui",
    no="non",
    holds="vrai",
    broken="faux",
    broken_wanted="faux, comme il se doit",
    kinds={
        "advert": "annonces",
        "arp": "ARP gratuits",
        "refused": "annonces illisibles",
        "step": "étapes de l’essai",
        "power": "alimentation",
        "link": "câbles",
        "command": "commandes",
        "console": "console",
        "log": "journaux",
        "probe": "sondes",
        "invariant": "invariants",
    },
    kinds_shown="Afficher",
    steady="annonces identiques à la précédente",
    advert="VHID {vhid}, advbase {base}, advskew {skew}",
    advert_first="première annonce d’un règne : {node} est maître à partir d’ici",
    advert_skew="advskew valait {was} jusqu’ici",
    advert_repeated="un compteur déjà entendu",
    announcement="{address} est à {mac}",
    unreadable="protocole 112, mais pas une annonce : {reason}",
    method_texts=(
        "Tout repose sur une seule horloge, celle de l’hôte. Le maître est lu dans les annonces CARP d’une capture "
        "de chaque réseau ; ce qu’une "
        "machine a perdu, dans ses questions et ses réponses à son propre port. Ce que les pare-feu disent "
        "d’eux-mêmes n’a pas servi.",
        "Une coupure va de la dernière question qui a reçu sa réponse à la suivante qui en a reçu une. "
        "Elle peut être trop longue du temps qui sépare deux questions, jamais trop courte.",
        "Une mesure hors de la loi compte comme expliquée si elle ne s’en écarte pas plus que ce qui a été mesuré à "
        "côté : l’arrêt de l’hôte, "
        "l’attente d’un processeur par la machine, et le retard possible de ses minuteries.",
    ),
    cost="L’enregistreur a vu {frames} trames, en a perdu {dropped}, et a utilisé {cpu} % d’un cœur.",
    files_texts={
        "failover.json": "toutes les valeurs de cette page, pour les programmes",
        "failover.txt": "les deux tableaux, pour un terminal (en anglais)",
        "junit.xml": "un cas de test par prévision, pour un serveur d’intégration",
        "failover.pcapng": "toutes les trames, une interface par réseau, avec des commentaires",
        "lab.json": "la topologie, et le lieu de l’essai",
    },
    decode_shark="CARP partage le protocole IP 112 avec VRRP ; tshark le décode avec :",
    decode_wireshark="Dans Wireshark : Analyser › Décoder comme… › IP protocol 112 › CARP.",
    made_by="Dessiné par Uranus Lab à partir de l’essai enregistré ; la page n’a besoin d’aucun réseau.",
    drawing_words=DrawingWords(
        dhcp="{device} · DHCP",
        public="hôte public {address}",
        gateway="passerelle {address}",
        sync="synchro : {purpose}",
        description="Deux pare-feu, {nodes}, sur les réseaux {networks}.",
        conjunction=" et ",
        purposes={
            scene.SYNC_BOTH: "états, config.",
            scene.SYNC_STATES: "états",
            scene.SYNC_CONFIGURATION: "configuration",
            scene.SYNC_NOTHING: "aucune",
        },
    ),
    phrases=PHRASES,
)
