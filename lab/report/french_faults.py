"""Every fault in French: a headline, what was done, how it was undone; and what the catalogue says of it."""

from __future__ import annotations

from lab.expect.catalogue import DOCUMENT, FREEBSD, KINDS, MISTAKES, TESTING
from lab.expect.fault import FaultKind
from lab.expect.mistake import Mistake
from lab.report.words import FaultWords

TEACHES: dict[FaultKind | Mistake, str] = {
    FaultKind.KILL: "le secours prend la relève quand le maître s’est tu trop longtemps : trois intervalles et son "
    "propre biais",
    FaultKind.BOTH: "la redondance s’arrête où commence la cause commune ; le premier à démarrer attend jusqu’au bout "
    "de sa patience",
    FaultKind.CARP_OFF: "aucun adieu n’est envoyé : le secours attend aussi longtemps qu’après une panne ; réactivé, "
    "le maître reprend son rôle",
    FaultKind.MAINTENANCE: "le biais 254 est annoncé avec la prochaine annonce prévue : une relève en bon ordre, sans "
    "coupure",
    FaultKind.DEMOTION: "un maître rétrogradé le dit aussitôt et se fait devancer en quelques millisecondes",
    FaultKind.REBOOT: "CARP est coupé en premier, le compte commence donc avant l’arrêt de la machine ; ensuite, elle "
    "reprend son rôle",
    FaultKind.HALT: "un arrêt en bon ordre n’est pas plus rapide qu’une panne : CARP n’y dit pas adieu",
    FaultKind.FREEZE: "un nœud figé est remplacé et, à son réveil, se croit encore maître pendant un intervalle au "
    "plus",
    FaultKind.RETURN: "une relève à moitié faite est annulée : deux maîtres pendant moins d’un intervalle, puis le "
    "meilleur",
    FaultKind.UNPLUG: "un VHID sur un lien mort rétrograde le nœud entier, et tous les VHID partent ensemble ; un "
    "lien sans VHID ne fait rien bouger",
    FaultKind.FLAP: "le nœud revient comme secours et attend de nouveau : une seconde sans lien en coûte plus de deux "
    "sans service",
    FaultKind.LOSS: "CARP attend trois annonces de suite : les pertes gênent les clients bien avant de déplacer un "
    "VHID",
    FaultKind.DELAY: "les annonces peuvent être en retard, pourvu qu’elles arrivent : rien ne bouge",
    Mistake.PASSWORD: "chaque nœud se croit seul : deux maîtres pour ce VHID, et pour lui seulement",
    Mistake.VHID: "deux groupes d’un seul membre : les deux nœuds ont l’adresse, sous deux MAC virtuelles",
    Mistake.SKEW: "tout semble aller bien jusqu’à une relève : le premier devenu maître le reste, et personne ne "
    "reprend son rôle",
    Mistake.MASK: "le masque ne fait pas partie de ce que CARP signe ; rien ne se voit avant que ce nœud ait à router",
    Mistake.PFSYNC_PEER: "les adresses virtuelles basculent, pas les connexions : l’autre nœud n’en a jamais entendu "
    "parler",
    Mistake.PFSYNC_RULE: "les états arrivent et sont rejetés par le pare-feu même qui les attend",
    Mistake.XMLRPC_RULE: "la configuration du secours vieillit sans un mot, jusqu’au jour où on en a besoin",
    Mistake.SYNC_PASSWORD: "la synchronisation de la configuration est refusée ; les états et les adresses virtuelles "
    "continuent",
}


def _teaches(kind: FaultKind | Mistake) -> str:
    return KINDS[kind].teaches if isinstance(kind, FaultKind) else MISTAKES[kind].teaches


FAULT_PHRASES = {
    **{_teaches(name): text for name, text in TEACHES.items()},
    DOCUMENT: "le document : {words}",
    TESTING: "pfSense, « Testing High Availability » : {words}",
    FREEBSD: "FreeBSD, tests/sys/netinet/carp.sh : {words}",
    "pfSense, Troubleshooting High Availability: {words}": "pfSense, « Troubleshooting High Availability » : {words}",
}
"""The keys are the catalogue's own sentences."""

FAULT_WORDS = {
    "kill": FaultWords(
        "Le nœud {node} perd son alimentation",
        "Ensuite, le nœud {node} a été éteint brutalement : ni adieu, ni dernière annonce.",
        "le nœud a été rallumé",
    ),
    "kill-both": FaultWords(
        "Les deux nœuds perdent leur alimentation",
        "Ensuite, les deux nœuds ont été éteints brutalement, en même temps.",
        "les deux nœuds ont été rallumés",
    ),
    "carp-off": FaultWords(
        "CARP est désactivé sur le nœud {node}",
        "Ensuite, CARP a été désactivé sur le nœud {node}, comme le fait le bouton « Désactiver temporairement "
        "CARP » : le nœud continue de vivre et garde ses propres adresses, mais il abandonne toutes les adresses "
        "virtuelles et se tait.",
        "CARP a été réactivé",
    ),
    "maintenance": FaultWords(
        "Le nœud {node} passe en maintenance",
        "Ensuite, le nœud {node} est passé en mode maintenance persistant de CARP : dès sa prochaine annonce, il "
        "affiche le plus mauvais biais.",
        "le nœud est sorti du mode maintenance",
    ),
    "demotion": FaultWords(
        "Le nœud {node} est rétrogradé",
        "Ensuite, le compteur de rétrogradation du nœud {node} a été augmenté de 240, et une annonce l’a dit aussitôt.",
        "le compteur a été remis à sa valeur",
    ),
    "reboot": FaultWords(
        "Le nœud {node} redémarre",
        "Ensuite, le nœud {node} a reçu l’ordre de redémarrer : il s’arrête proprement, et CARP s’arrête en premier.",
        "le nœud avait redémarré",
    ),
    "halt": FaultWords(
        "Le nœud {node} est arrêté",
        "Ensuite, le nœud {node} a reçu l’ordre de s’arrêter : il s’arrête proprement, et CARP s’arrête en premier.",
        "le nœud a été rallumé",
    ),
    "freeze": FaultWords(
        "Le nœud {node} se fige",
        "Ensuite, le nœud {node} a été figé : il reste immobile et n’en sait rien.",
        "le nœud a été relâché",
    ),
    "return-early": FaultWords(
        "Le nœud {node} se fige et revient trop tôt",
        "Ensuite, le nœud {node} a été figé, puis relâché au moment où le secours allait prendre la relève.",
        "le nœud a été relâché",
    ),
    "unplug": FaultWords(
        "Le nœud {node} perd son câble sur {network}",
        "Ensuite, le câble du nœud {node} sur le réseau {network} a été débranché.",
        "le câble a été rebranché",
    ),
    "flap": FaultWords(
        "Faux contact du nœud {node} sur {network}",
        "Ensuite, le câble du nœud {node} sur le réseau {network} a été débranché, puis rebranché un instant plus "
        "tard.",
        "le câble était rebranché",
    ),
    "loss": FaultWords(
        "Le réseau {network} perd des trames",
        "Ensuite, le réseau {network} s’est mis à perdre une partie de ses trames.",
        "le réseau a été rétabli",
    ),
    "delay": FaultWords(
        "Le réseau {network} est lent côté {node}",
        "Ensuite, les trames du nœud {node} sur le réseau {network} ont été retardées.",
        "le retard a été supprimé",
    ),
    "wrong-password": FaultWords(
        "Mauvais mot de passe CARP sur le nœud {node}",
        "Ensuite, le mot de passe CARP d’une adresse virtuelle a été changé sur le seul nœud {node}.",
        "le bon mot de passe a été remis",
    ),
    "wrong-vhid": FaultWords(
        "Mauvais VHID sur le nœud {node}",
        "Ensuite, le VHID d’une adresse virtuelle a été changé sur le seul nœud {node}.",
        "le bon VHID a été remis",
    ),
    "equal-skews": FaultWords(
        "Les deux nœuds ont le même biais",
        "Ensuite, le biais d’une adresse virtuelle du nœud {node} a été rendu égal à celui de l’autre nœud.",
        "le bon biais a été remis",
    ),
    "vip-mask": FaultWords(
        "Mauvais masque d’adresse virtuelle sur le nœud {node}",
        "Ensuite, le masque d’une adresse virtuelle est devenu /32 sur le seul nœud {node}.",
        "le bon masque a été remis",
    ),
    "pfsync-peer": FaultWords(
        "Mauvais pair pfsync sur le nœud {node}",
        "Ensuite, le nœud {node} a été désigné comme son propre pair pfsync.",
        "le bon pair a été remis",
    ),
    "pfsync-rule": FaultWords(
        "La règle pfsync manque sur le nœud {node}",
        "Ensuite, la règle qui laisse entrer les états a été retirée du nœud {node}.",
        "la règle a été remise",
    ),
    "xmlrpc-rule": FaultWords(
        "La règle XML-RPC manque sur le nœud {node}",
        "Ensuite, la règle qui laisse entrer la configuration a été retirée du nœud {node}.",
        "la règle a été remise",
    ),
    "sync-password": FaultWords(
        "Mauvais mot de passe de synchronisation sur le nœud {node}",
        "Ensuite, le nœud {node} a reçu un mauvais mot de passe pour la synchronisation de la configuration.",
        "le bon mot de passe a été remis",
    ),
}
