// Written by tools/language_letters.py from the translations of Django (BSD-3-Clause, the Django Software
// Foundation and its translators): how often groups of three letters are.
#include "serve/language_letters.h"

namespace holdfast::serve {
namespace {

constexpr LanguageLetters table[] = {
    {"en",
     {{"", "", "_th", "er_the", "ed_he_", "_co_in_no_pa_re_se_to_yoan_ectentingionis_me_on_re_st_te_teryou",
       "_a__an_be_ch_en_fo_mo_vaassateelees_forhisin_ng_nteontor_ordpasrd_se_sswswotedth_thitioto_valwor",
       "_ad_al_da_de_fi_ha_is_it_ma_oraliangas_at_atiay_be_chaconct_delge_hanid_imeit_latle_lealetlidmonnd_"
       "notnthot_ou_ourserthatimturue_ur_ureve_",
       "_ab_ar_do_le_mu_na_of_on_si_su_usactaddageainal_allaltaluameandaseatuberctectidatdayeasen_ersessew_"
       "fieianistiteithld_lecll_ltiluely_ne_ngeno_ns_nt_ntaof_onsow_pleresrs_ry_selsurtemtints_useust",
       "_ac_bo_ca_ex_li_nu_ob_pl_st_te_ti_vi_wa_we_wiabbablailaraareastavebbrbjeblebrecesch_"
       "eldempensereeteev_"
       "filhashatherhouieliewillintirejecllilowmatmaymbemenminmplmusnamnatnsuobjoneoreormpagperralrecredrevrr"
       "esh_sitss_ssistruraut_vie",
       "_ap_at_bu_by_di_em_fr_fu_ge_ho_ju_lo_mi_ne_pe_po_sa_so_sp_t__ta_tr_ty_un_year_belcanccece_"
       "chocorctscumdecdindoceadearelaem_equeseet_ettfulgo_havhemil_ileiltinsishissivelicliolislt_"
       "ltemaimarmisnalnisnownumocuodeomeorroulounplaquiratrelreqrmasetsiostasuctaitattentrattety_"
       "typuldullumbumeuuuwaswitype",
       "_ag_as_au_cl_fe_pr_sh_sl_tw_ur_whaccadmaniaryatabutby_catck_coudd_ddrdedderdmidreds_eciediel_"
       "eloemaembermernetiexifrofutgedgerharhenicailaimainaindinuinvjanlabldslinllollylogmesmetmodmornewnstnv"
       "aom_ookortoseoteovepe_props_"
       "queracrdirearmiromrrosepsfushosinspassfstetestiltritryuccuesuirultunduteutuverxis",
       "_av_br_ei_fa_he_if_me_oc_ra_veappavacomcurddedoeeenegeek_errestgesic_if_"
       "ifiiniitimalmitnceniantinutoesollostoutpriranrenriarilrm_rowsavsontaltegthotivtruug_urlvaiweewin",
       "", "", ""}}},
    {"de",
     {{"en_", "", "", "einer_ichte_", "_eich_chederrt_sch",
       "_au_be_da_de_di_si_webenchtdendieertes_ie_in_iscndesteten",
       "_bi_ge_pa_se_un_zuassausbiteitenterngenhenht_igeineistittngeon_rdetigtteungwer",
       "_an_er_fe_is_mi_niateberdasdatde_ebeeicereesegebgesherieriesingionitelenlleltend_ne_nennicortpasse_"
       "seiss_sswst_swotioundverworzei",
       "_al_en_in_ke_ob_ve_vo_zeabeallaltdesekteldellenderfersestge_gülindit_keiltimenng_"
       "nisntenutodereirenrn_sicsiessetertzeum_utzwähähländült",
       "_ab_ad_do_es_fo_fü_gü_ha_ko_lö_ma_mo_mu_od_st_um_wuachahlaktameangas_at_"
       "atiaufbesbjechsechensenuerdetzfelferfolforfürgewhalhlehlthrejekktiliclisllils_lt_lösminmitmusnamns_"
       "objolgormrstsersgetagtehteltritunurdus_usgussvorwurzerzu_zuröscür_",
       "_ak_hi_ja_kl_li_ne_re_so_ta_wi_änadragealsaniannanzar_atubeidreedeeheehlel_"
       "eruerwesseutewäeänfalfehfüggeägregt_hinhl_hr_hstil_illkt_ktelatld_ldele_leimaime_neuntanthnzuonere_"
       "recresrforterunrzerücsensetsitstastrtattemtztuf_umeunturüuteuuuvievonwebweizahzenzt_ück",
       "_e__fa_fi_ga_gr_he_hö_ih_ju_ka_le_me_na_no_nu_sc_sp_te_tr_vi_wo_ziag_"
       "ailandardbarchichrcksdardeldetdezdokdunebsehtei_em_emeemperzescesiet_ezifenffegangefgelgishathe_"
       "htihöciariffig_ihriniintinzjankankenkomkonkorksekumlerlgelgrlialielltmatmelmodmplnerngünn_"
       "nnenntochokuollommor_orrplarerrf_rgericrierisrmarnarnesinsisspastuteitietivtrats_tumtypuchur_"
       "uswwenzifzugöch",
       "_ar_po_zw_übahran_arfbrobsickeegeeiseleerbergerhetrettfilgeggergunhabheshälickieliguiltim_"
       "inhinuitsklelarletlioll_llsmalmetmm_"
       "mmemonnacnatnhanzenzzonaontordpanpperagrilrwasessoltesthathätisue_ut_wirzzaältübe",
       "", "", ""}}},
    {"fr",
     {{"", "", "_dede_es_", "", "_paer_eurez_ionpasre_tiour_",
       "_co_en_la_le_mo_no_un_voentle_ne_nt_on_ousqueresse_ssete_treue_us_",
       "_au_ce_ch_es_l__qu_su_vaaisas_assaticondesen_et_la_lesns_ontourun_urevalvou",
       "_av_da_do_n__ob_poactaliateau_bjece_chactiectestideierifiiquis_isiistit_"
       "jetlisllemenmotnteobjonnonsot_st_ts_",
       "_a__ac_d__du_dé_et_he_in_ma_mi_ou_pe_pr_re_sa_se_so_sé_ut_à_agealeantaveblebredu_essficge_heuienil_"
       "iliillir_issjoulecleulidmaiminmodnnénompours_saisezsurtentestilté_uneutiéleés_",
       "_as_ca_ex_fi_fo_il_li_ne_pl_si_to_tr_ét_êtainampansaracarcetchechici_comcorctèdandifdoiec_"
       "ellemeetsettforhamicaichin_iniintireisaiseitelusmatmbrntinéeodioisoitombormorrotrou_"
       "outouvpagparplupprracrecrresatsersissoussissustestrsupséltatterteutietoutèruppursut_uteuveux_"
       "vecvezvotèreée_éesétéêtr",
       "_ad_af_an_ba_fa_ga_jo_ré_ve_vi_y_airaitar_"
       "ariaucautbarcatcundateauemaeniersespexifieiblimeineinsinulailemliollime_mermoinirnnenonnountantsom_"
       "omporipeupriprérairerrezrierimritrmasi_siositsontratteucuuelui_uleumeuuuverveuès_éri",
       "_aj_ap_ci_cl_e__ju_me_ty_élabaablaceadraffajoallandangannappat_ccèchoct_"
       "ctectucumcèsdeudocdredécegiembenrenuerrerveuieuteuxffifilfinfiégabgisherhiehoiiltié_"
       "latlezltrlémmanmismp_mpompsmulndenrentrnu_nutocuoinoniortpe_perponporpospreprops_qu_"
       "quiratregrigriqrrirverécréssemssostasuctortritrotuetypuccuesuilutovanveavenypeéléémeête",
       "_di_el_gé_oc_vu_véai_auxaîncesdondèlel_envermeveffrfregulhaîhifie_"
       "iffirgiséitiiésjanlicliqncenesniqnisnésoctodèondoneosspteranrgurisrmurourteréespaspotantifttruerulaun"
       "ividvirvoivravuexisèleéciîne",
       "", "", ""}}},
    {"es",
     {{"", "", "_dede_os_", "_co", "_el_es_no_secondo_es_or_",
       "_en_in_la_unadoar_as_cióel_entestiónla_no_ntentrontse_te_traón_",
       "_ca_ha_qu_reaciaseciodosen_er_io_ionmenna_quera_rasresro_stasteta_to_ue_",
       "_a__lo_pa_po_si_vaal_aracamcciecceleeneeroeñahoricaidoienillinaistleclosminoneoraorrparporre_"
       "rioseñtentostroun_unaña_",
       "_al_as_do_fa_ho_me_pu_su_ti_usaloantaribreca_carcomcorda_debdelebeelieseha_idaimiintlidllalormbrmo_"
       "nadne_nesntion_onaperrecsegsertertietiluarvalváláli",
       "_ac_di_fe_fi_fo_ma_mi_mo_nu_o__ob_pe_te_ve_vá_y_actambampardatoavobjeblecadco_"
       "duzechectedeegúemaereetofavficforgúricoingitijetlanlarlesliclimlo_"
       "mbimodmponarnernicnomntantoobjoduombormpo_pueracradrarrodrreríaselsitstrsu_"
       "suatartiouedusuuzcvervorzcaía_úre",
       "_añ_ba_bo_cl_cu_dí_ex_li_má_ni_nú_pl_pr_pá_to_tr_viablaccaceadaameanaaveañobe_berce_"
       "chactedaddendesdicdirdocdoreciediegielaemeenoenverietrfecgingo_greiariciifiiguiniinuiosir_"
       "itaitolaclasma_"
       "manmarmerncindonosnuenúmocuodoomoplapospágquiregrmarosrrasesstátabtactestiptodtriualuevuieumeutouuuva"
       "_ya_ágiás_és_úme",
       "_ab_ad_ag_ah_an_ar_da_er_fu_ge_gu_ju_le_"
       "soadeadmahoaltandanoayabiabilbioborciacidcimclactacuacumdasderdifdmidíaeceegaegueloenaencengenieo_"
       "eraermerreríescesiespetaevaexifalferfilga_"
       "gitguaguigungurhachayiadibliemieriliiltimaimoincindipoireivoizaja_le_"
       "lemletlislizllolonltaltrmatmismásnasndingangongrnidninnisnutodeodionioriotaproranrdardorelreoriarilrm"
       "isi_sigsióso_tadtaltamtantastróulaurave_vidvisvo_",
       "_bi_grabealiarrartcerctrcuedatdígervetigenia_invmesmplnionváponrónscosemsolsonspatintirtivultxisán_"
       "ígióni",
       "", "", ""}}},
    {"it",
     {{"", "", "", "_didi_re_to_", "_co_in_noionne_on_ti_",
       "_de_mi_se_unassatoconentla_no_nonnteoneta_te_zio",
       "_al_ca_es_il_pa_pe_qu_si_vaatiazideleller_ereeriessestetticail_ilile_llamenmiloreperserstaun_val",
       "_ch_da_la_ma_mo_tu_è_aliardatacorfiche_iarifiio_istli_liaminna_ni_oniontordpasquera_ratrd_rdirisse_"
       "ssisswstoswotentertrattittoueswor",
       "_as_e__fi_ha_ne_nu_og_or_pr_ri_so_st_tr_vialoareateattbilcarcatcheci_curdatdifdo_el_"
       "eleeseeziforgetggeggigliia_icuinainsisclezlidlo_lormodnsentiodioggomeonaorrri_ro_rresciselsi_sicso_"
       "ssetattteumeura",
       "_a__ag_an_do_fa_fo_gi_i__l__le_me_o__po_pu_re_sc_su_te_utaccaggagiai_aleallameampancannanoaraca_"
       "camcancelda_devempeneeroesievefilga_gingioidoilein_iniioritoizzlatll_ma_me_"
       "mesmponatonooraormostottpagpo_posregricsiasitssostrtemtrounauteve_ver",
       "_ac_ci_du_el_ge_li_pi_sa_veal_almaricceceschicifco_coldirdocebbegaei_eliemaenogi_giuha_"
       "ibiichimaimiimoimpindintinuinvispitaiù_liclimllellolmeltrmanmermo_"
       "mplncendinelnernesnomntantonumnutnviocuoi_"
       "olooriornovapiùprepriretriorizrmascescosegsetsimsonstetaztrituatutualue_untuovutouttuuuva_vi_zo_zza",
       "_am_ap_az_er_gl_gr_im_sp_ta_ti_voabiambandappasebbebe_breccoce_"
       "cegcomcumdeiderdesdiseciedeediegleguengercermerrervferfregnohaihieianiaticoidaifriltineingiriisuiuniz"
       "ilazletliolismagmaimarmatmbimetmpindonganisnnont_nuoodeondotapi_"
       "plaponpuòquirarrazrebriarimritsalsiosissotspaspespossasultimtivtorttatuoui_ullultuo_uoiutiuò_"
       "viavisza_zzo",
       "_br_usailalvammantbiadicdueelaemberaerngengergo_golireleglitltaltilvambrnamnarndengoolerm_"
       "rmernernirrorvetaltictiptruungunovie",
       "", "", ""}}},
    {"pt",
     {{"", "", "", "_de_pa_sedo_os_ão_", "_coadoas_de_or_ra_",
       "_a__do_es_in_no_po_rear_aradoser_es_se_ta_te_ção",
       "_ca_da_nã_o__qu_te_umalaassavraçãcioconda_em_entesticailiintionlavmenntentrnãopalpasquero_ssetemue_"
       "um_vra",
       "_fo_ma_mo_pe_su_vacomecieiremoficidoifiistizama_no_ntaodeonaontoraparporstastetertilto_"
       "tratrovalverões",
       "_ad_di_e__em_en_fa_ho_me_ob_ou_si_utantcadcardifdorduzelaeleenhereessfoiforhoria_iciinaio_irois_"
       "iteleclidlizmaiminmodmovna_nadnovodioduoi_om_omeou_ovepo_podremrodselsersuatentosumautiuzaválza_"
       "zadáliês_",
       "_ab_as_at_ex_f__fi_ga_li_mi_na_ne_os_pá_to_ve_vá_é_"
       "adaaloaluameampataateavobjecamcordasderdicescetoevefavgarginha_"
       "idainijetlorluemplmpoobjocuovapospágquiranrasresrioscositso_strtodtriua_vorági",
       "_an_ge_mu_nú_pr_ti_viactadiaisaixal_anoatrcesco_colcumdaddatdesdevdocedieguel_"
       "emaempendenoeriermeroeráespeu_exihumipoitoiãoiõejanlatlicliãliõlo_ltamanme_mermetmo_"
       "narnasndenennhanhonhunomnosntinúmodoormorrperplaponquaradraçrelriarmirosrá_"
       "segssostásucsãotartaçtestiptá_ualuceuinumeutova_ve_vidáriço_çõeúme",
       "_ag_al_ap_aç_ba_bo_ch_du_fe_fu_gr_it_ta_"
       "trabaaciadmageagoalianaandançavebaibmebribrocaçchacheciactedefdeldiadisdmiefieloembenaerretaetreçofil"
       "fingo_guaheiho_ichicoil_iltimaindinhinsinuir_iraispissitaixoja_la_laclaçletlisltrmarmesmismulndone_"
       "nicnisntonutnçanívolhoníoutpelpliracramrarre_recreireçrifrilrmarresemseuspaspostosubtadtalteiubmui_"
       "ulturavelxisxo_íve",
       "_ac_ao_bi_er_ocailam_anhaquaçõce_cidduaeceeisencensequeraexteúdfalgeohavianigainglanls_"
       "masmbrncongonstol_oneoreproregrrorvisessetsõetasteútráuarulavarvieúdo",
       "", "", ""}}},
    {"nl",
     {{"en_", "", "", "_de_gede_er_et_", "an_eenoor", "_be_da_ee_he_in_ve_vo_waaarchteereldererd_te_ver",
       "_is_me_ni_op_te_va_weaanachat_datdendererdes_gelgenhetie_ietijdin_is_ndenieordrdetentievanvoewij",
       "_al_ma_u__ziardatibesctedezdigebrectegeeleerserwestezegeeginhtwigeijningjn_kenldillemetngens_oeror_"
       "renschstatertwouw_voowaawacwooze_zij",
       "_aa_di_en_er_mi_mo_no_of_om_on_se_to_uw_zoag_al_allalsandar_bruekeel_ensentevege_gebgesgevheeijzit_"
       "itejdejzikerle_ls_maanaang_oegof_ondop_rs_ruirwist_stetatteeuikuurvenweezig",
       "_ac_co_do_e__le_li_ob_pa_re_uu_wiactagiam_atubevbjebsich_ctidanditebseeleheendergescevaevofergd_"
       "getieriesijkikeinainsiscistjeckt_latld_leclijmeemenminna_nstnt_ntaobjom_"
       "ontorgpagreeselsittaataltektijtoetteuituntur_vatvelwebzor",
       "_ja_ju_ko_ku_na_sj_sl_st_ti_ui_woaalaamaatabladrageangansbehberblochicondagdindocedeee_"
       "eefefteidelierierveseetaeuwft_geghebhiehteieuijfiljjabjd_kunldeleelenletloomelmoend_ocuodeoeton_"
       "oonoudovereiresrg_rgesersjaslastrstutanteltumtypumeut_uuuworype",
       "_bi_ci_el_fo_hi_kl_nu_po_sp_su_tr_tw_zeailateattavebelbt_cescijct_"
       "cumdaadeldreebtecheekegieisekselaellemeengerkeroewigavgehgergewherhouichig_igdigiijsik_"
       "iltindjanjfejkejuikbake_kiekomlaaladlgeliglinmagmaimodmulnennotntenu_"
       "oenomeongopgormotaoutpaapenpgere_recrelrgarierilrinronrstrt_senspatemtretrits_tuutweug_uisulium_"
       "utevol",
       "_af_ap_gr_it_ke_ki_ov_qu_s__tyaagaliamearibekccedieefeeinembermertetrforfougemgeogisgrohikht_id_"
       "ikbimainiinuitijaajarjk_joejstks_ledleilielisljaljoltembemeimmandsnhonogntiolgommoneookpe_rijrmuse_"
       "siesnassesuctruuccue_werzenzic",
       "", "", ""}}},
    {"sv",
     {{"", "", "", "_inen_er_", "_dell_ra_tt_", "_fö_tian_ar_de_eraet_ettföringka_skate_änd",
       "_an_at_du_en_i__lö_me_va_vä_äradeattdetdu_enoilliltintisklerllelösnornteom_ordsenta_tertigtilär_ör_"
       "öse",
       "_bo_di_et_ha_ko_ma_re_se_si_änallaraatida_danellgengilharinnionkt_la_ligllaltindendrng_ngeon_"
       "ortradrd_rdere_stätiottavarvän",
       "_al_av_da_el_fi_fy_gi_ka_mi_må_ob_oc_sk_so_ta_viandanvareav_bjeborch_"
       "ckadatdeldenderdraeckedaektersforfylga_garidaig_igein_"
       "istittjekkankermedmenminndaninnnensknväobjochoneratrt_sidsomstastestrtaltälverväryllällärd",
       "_be_e__fo_fä_he_mo_no_om_po_sp_st_säag_al_amnangansas_at_atudagdardesdited_ehåelaenteries_"
       "essfilfälgergt_hålickid_igaigtiljinsjankenkonlatlisljallslstlt_ltamalmarmatmmamåsna_"
       "namnehnganlinnans_nstntantiollontormostperposrerrinrnarstserskispast_"
       "säktagtattidtretumuuuvalväläkeäljältållåst",
       "_ad_do_fe_fr_li_lä_ne_nu_ny_på_sa_to_tr_we_åtad_adraktataateatsck_ckedindokdreebbel_"
       "elsensfelfinfråggakickräktikumlseltelägmermmemn_modnednerngsntrodeokuor_parpå_resrkermasa_se_ss_"
       "tantettistivtorts_typum_umeundwebyttän_ängänlättår_",
       "_ap_bi_fl_ge_hä_ja_ju_kr_kv_la_og_ok_rä_te_tv_un_ut_ve_"
       "vyadmaggaldaltantappardariarkarnastbbpberbokbpldecdigdmidriefteltem_embennernervestffrftegg_"
       "gisglignigänhelhetiffikail_imminuisaiv_iveja_jarjonkatkomkorkunlanldaletlgäliklj_ljollgloglänme_"
       "mesmetmulmånnadnglnisnktnnsnolnt_nutod_"
       "oggogiommoriplarecredrelrenrigrilrisrolrttränräträvrånsamsifsissk_"
       "stotadtectimtintratritrotruttitvåulluniunkupput_utavisvå_äggäveån_ång",
       "_ar_auamefroge_gånkadlicmbenatnd_nenonspanrmurorsonue_ultuläuteyck", "", "", ""}}},
    {"pl",
     {{"", "", "nie", "_poie_", "_ni", "_do_na_pr_wy_zaki_na_ne_ny_",
       "_je_li_ma_stej_estowapraprzrawrzeskistawniów_",
       "_ha_mo_si_up_wa_wi_zoaniartasławiać_ch_do_dzierahasia_ierionię_je_jeskowma_mieniaoprostośćrtosięst_"
       "strta_tośtrowanwarwiewybychznało_ść_że_",
       "_cz_go_mi_ob_ta_te_ty_us_uż_w__wp_z__zm_zn_żeacjaj_aneanyawnbiebraenientewngo_godicziejij_"
       "istięclicmennajnijnikniżno_nycodaodzonyowiownpewpispoppowproranronrzysunsz_słasłotałty_"
       "upeusuużyzawzinzmizosści",
       "_a__ab_ad_by_co_da_fo_i__ko_lu_seagaazwby_ci_ciecjacjiczaczbdandatdnidokegoektem_eń_"
       "foriekienieńikaiszja_ji_ka_kieku_la_le_liklonminmnimożnaknaznięntaną_"
       "obionaoneoniormoścplipodpolponresrowry_stętkoto_uniybryliytkyć_za_zasła_ńskżyt",
       "_cy_dl_gr_kw_mu_ne_no_sz_to_tr_twablabyaczadrajmak_akóaleanaanoardas_ba_byćcejco_cyfcz_"
       "czeczndajdladoddź_ecierwerzesiga_iariesik_inuiętiż_jmnjąckcjkonktókówliolislnilubmusmyśni_"
       "nionownutojeokuoleon_onooweożepomra_raćrmarosrz_si_stesu_szaszytactemtertkitnitrytwotyltówtępub_"
       "umeusiuuuwa_wadwidwinwięwnywojwpiwszyfrystyślzabzbazeczenzesziezy_zysączęcełącślnżej",
       "_ak_al_br_bł_ca_ci_dz_fi_in_kl_lo_o__op_pa_pl_re_ro_uw_wsadźalnarzastataatyawaał_"
       "ałaałkałobecblocałciąckicy_czydmidosdredy_ejeek_eleemeemuen_es_esueślfilfryieliemiltin_inkintią_"
       "iązić_jedjskkrekumkwikłalemlialogltrmagmiamodmu_nacnegntynę_"
       "obeodnomeomyontoszowyreśrwerylserstkstoszete_towtratrztyctyptórtę_ulaunkustut_uwawaćwerwitwiąwprwy_"
       "wymwyswyżybiyczymaysłyżezanze_zonzwaącyązaęciępnładłkołow",
       "_dn_el_ok_ukajwat_ańsca_cincniecneseeszetogruichinyitejwyloklskmatnkuodeosire_rmusieszęym_zakzę_", "",
       "", ""}}},
    {"tr",
     {{"", "", "", "in_", "_bi_deeriir_lanler", "_bu_iç_ol_saan_anıarabirdeğen_er_larolarin",
       "_ge_ka_pa_ta_veak_ayıbu_esieğiileiliiniiriiçila_ndaparri_rolya_çerçin",
       "_al_ba_da_gi_gö_ha_ku_se_si_yaadıalaamaar_aroarıbilda_dandi_ek_eleereeçeeğegeçgiriz_ki_lamlenli_"
       "llanesni_nızrakrilsayseçsi_sintirğerın_ını",
       "_ad_an_be_do_il_ne_te_tüaatasıat_aşaca_ce_dıremierlesnetieçiil_ilmisiiçeiştklekulle_lirlmama_"
       "minndene_nizoluon_orusaasilsnestetarullun_undve_yı_ğişıcıır_ız_şarşti",
       "_ar_ay_di_dü_ek_em_fa_is_iş_ko_lü_me_sü_ye_zo_şuahiakiaktalıareariayfaz_ağıbaşbelcutdakdendı_"
       "eceediekleliemeenifengilgörhipik_ildilgim_indineip_istiteizilayldilemlgilinlmelunlütlı_madmakme_"
       "mekncancenlenı_nıcnınolmre_resrlirmersirunrünrı_sahsitsizsı_ta_"
       "tamtemtertfeturunuveryfayorzorçilörüütfğilılaınd",
       "_az_aş_bo_en_et_ey_he_iz_ma_no_po_so_sı_yö_şaabiabladranaancandayaazlblocakcı_"
       "dadderdirdredüzebiekiel_endenlerderset_evceylfazgelgergöngünih_ilyinmiğiiş_işaka_"
       "karkaykteldulonlyomedmesmevna_ndinelnmeretrihrlarlerumrılsansonsüztektestiltintümtürulaunauruut_"
       "uuuuğuvcuyaryenyleyonyönzinzlaöndüm_ün_ünüürüğinğıdğınıdaılıızıığışabşağşu_",
       "_aç_e__gü_hi_ik_li_mo_on_ot_yo_ço_ön_öğacaadaahaam_amsanganlatabiçboşcekdahde_"
       "deldetdildizdiğdosdoğduğdığedeeksektelgem_eneermetketleyaeyeeyifa_fırgi_gisha_"
       "hatikaikiiklimiirmirsitiiyoizgişiklaksiktaktildıleyleşlgeliklislıkmalmasmaymelmi_"
       "mişmlamlemodmsaneknetngininnlaodeok_oldondonuor_ostosyotuoğroş_"
       "posralrderekrenrikrınsimstasunsyasıfsıntalte_ti_tkitletrium_utuuz_veyyeryolyükyılzgezgizı_ça_çe_"
       "çimçoköncöneük_üzeüzgğruğunıfıık_ırl",
       "işkkik", "", "", ""}}},
    {"",
     {{"", "er_", "en_", "_dede_et_", "_inind", "_ad_en_fo_ti_vædenderereforke_kkellendere_sk_st_tertilvær",
       "_af_du_er_ha_ik_re_skadgal_angat_dgadigdu_edeendgangergskikkil_ingionkodlerngsodeor_skote_",
       "_at_br_da_di_i__ma_me_se_si_sl_va_viaf_ar_astatibrudetdtaed_elleltentettge_"
       "genideilliskletligmenndtne_ng_ngenneon_rdiretse_sidskatastiotteugeyldære",
       "_al_be_bl_el_et_fe_fi_he_ka_ko_mi_må_ob_og_vealgallan_bledatdindreektenngstgylharholig_igein_"
       "istjekkalldile_linlseminndrnskog_oldom_oneredrerresrugserslestestrtalto_trevalvenverærd",
       "_ge_gy_hv_li_nu_om_på_te_to_ud_ug_ænabeag_ansatoavnbjedagdeldi_elsem_enlernes_ev_felfilghegt_"
       "hedighigsis_kankt_latldelevlgtllilt_medmulnavnd_"
       "ndsnernlintaobjormrensensisssestitattentettidundvisænd",
       "_bo_do_fr_fø_mo_no_so_st_ta_tr_"
       "weadrageandataateavebelbsicifdehdiedokdstebsehoekselaeloessføjførgtehanhelhviid_"
       "ienigtilfiltiteivekabkerkonkræktekumlfølg_lgelislonltaltemarmatme_mermmemodmå_"
       "ndlnenninntenulokuontperpå_regrelrinrmasomstatemumeuuuvilvn_vælwebælg",
       "_an_bi_e__ek_lo_ny_op_po_spailaltappbesdesdlidridt_egnejlel_"
       "eleeliengerierservestfejfrafreftegelgemgetggegisglegn_herik_ilgimeinsintjankenkomkorksikunladld_"
       "lemlenlialikloglsklstltrmaimalmanmetnedommonsoreortrefrilrnarrert_"
       "runrævsiksitskrspatagtegtigtimtnitortratrittitypue_ugyuliulsve_vetypeår_ængæveøjeør_",
       "_ap_ci_fa_fl_fu_gr_hø_ig_ja_ju_ku_mm_mu_na_ne_sa_så_un_"
       "uradeadmalsardarearkartberbilbogdemdhodmidseeciefeemeerueskespetnfalferfinfølgæniaridsimainujerlgælio"
       "llamm_mt_ndhnktnstntonutny_ordoriovepe_ppera_ratrigrkesamskeskiså_truts_ug_ulaultuniunkvie",
       "", "", ""}}},
    {"",
     {{"", "er_", "en_", "et_", "_de_en_tiforre_til", "_er_fo_in_vedendetettikkingke_kkelleor_sk_terver",
       "_du_ha_ik_me_paallar_assde_digdredu_ellendennereil_innkerlerne_ngenneordpassorssote_tt_tte",
       "_av_br_da_el_et_ka_ko_ma_må_ne_op_re_se_si_slan_asjav_brudereltentgengergylharideig_illiskjonldile_"
       "letligll_menndrng_om_on_opprdirukse_sersjoslest_stestrtalukeyld",
       "_al_at_bl_di_fe_fi_gy_he_i__mi_ob_og_på_va_vi_væ_å_algansat_bjedatdieed_edeekteneerdertes_ge_gi_"
       "ienigeistjekkankt_linllimerminmå_ndenetnn_nskobjog_onepgippgpå_rd_renrerresretrt_"
       "sidssetentrevalværære",
       "_ad_be_bo_do_fr_hv_la_li_mo_no_ny_nå_po_sk_so_sø_ta_"
       "toadrandangatoavnblebokdagdinelgelsengeriernessfelfilgsthelholigsinsittjenktelaglatlenlgelislselt_"
       "ltemalmednavnernlinnlnstntaoldormrderekrinrrertesensissomstastitedtettidto_ulluuuvelvenvis",
       "_nu_sp_st_te_tr_un_utadmag_ateblideldesditdlidmidokegnehoekselaerkesiestfinfragg_ggegjegn_gregt_"
       "hanhethviid_imein_ionis_isekjekk_konkorkrekumkunldelg_lgtlikliollslstltame_modndlnednehnesnulnå_"
       "odeokuonsontortostposra_rasredrelrg_skjskrsørtastegtimtortratstttittstypumevilvn_ypeyttør_ørg",
       "_ap_bi_e__fa_fj_fl_fu_fø_ge_ja_ju_ku_le_lo_om_sa_ug_uk_årageagrakeaktal_appatabakberbesdi_"
       "efeeggeilel_eliem_ersevefeifjeførgelghegisighileilgiltindiniinuiv_"
       "ivejanjerkriksekstktilasleglemlgjllaloglskmanmetmmenennfonhonisnnhnt_"
       "ntenutnytoggoksomeoriorroveperrefrevrigrivrmarn_rnasamsikta_tadtigtintivugyultun_undunkuttvarvneår_",
       "_ar_au_ek_ga_kr_mm_okalsattensesefalfølgeogteifiinejemkeslbamelmm_månndiny_oenorepanpenpp_"
       "pperkermesetsontritruue_ug_uniåneølg",
       "", "", ""}}},
    {"",
     {{"", "", "", "", "en_istta_", "_ol_sa_si_vaettin_la_llaon_si_statä_",
       "_ei_ke_ko_mu_on_ta_täaa_alaaliallan_anaasaei_et_ineja_lasle_llina_oleollsalsanttattäämään_äyt",
       "_ar_ja_jo_ki_kä_li_ma_po_se_tuarveenellenterkia_"
       "intisäittivukkikuukäylinlislitllellämernenoisonarvosa_sivssataattutuntämtääuttuu_uutvalään",
       "_al_ka_nä_oi_pä_su_sy_to_viaanaatai_aikainaisatiesihteikeikkimiitaitäkelkohlä_"
       "malminmismuontantäoikoitostpoirjastestistosyötaiteetetti_tieto_ttytu_täjut_vo_voiyttyötäjäää_",
       "_en_et_he_ku_lo_me_mi_pi_ti_uu_voamaarmasiat_attausavaeetelieniennesthetillimeinuirjiseisiit_"
       "iteiväjä_ka_kaakaikenki_kirko_kokkonkseksileeli_lukmaami_mä_määnaininnnantiohtokaokooonpitpäirkkse_"
       "sessissitsoistäsuosä_tamte_teitiotoittettity_ukuumeunnuokus_ustvaivarviivusäivällät_äärötä",
       "_ha_hu_la_lu_lä_ni_no_nu_os_ty_yhaihakeaksaluannantassastautdendetdosea_edoee_"
       "eitelvemaeroetoetuhiniedielietiiniitikailjinaio_itsituiä_janjaujookatkeakiekinkkaku_"
       "lenletliiljolvolähmasmatmenmetmuumännannasneenimnnenninnunumnäknäyoa_ohjoimojaokuomaonios_osiosoot_"
       "pospääritrkirmisaasensetsinssästusältavtiitiltojtontostsetultuttuutyytältäsua_"
       "udeuksuleulluntuodusiutauusuuuva_vatvievolvä_vämyhtyllytäyvääheältärä",
       "_an_as_de_es_jä_oh_pa_pu_py_re_sä_ur_vä_"
       "ylaalaimakiamiaseataavidatdeleeleineksetkhalhdehköhtoianienihiihtiivinnirhisljokjosjoujätkakkaukeskeu"
       "kiskkokoskumkymkä_köplaulemllolokltama_manmutnaanetni_nisnttnulnutnä_oi_oriottrheriarä_"
       "sekselsiisimslusuusähsäätaltentiatketyhtyvtänuinukauluun_uomuotussuteutuuudvaaviryhjymäyt_"
       "yypähkäkyässästättöpo",
       "_aieesiikkeekkemätniioin", "", "", ""}}},
    {"",
     {{"", "", "", "_a_", "_megy_", "_eg_ho_le_szaz_egyeleet_jelmegon_",
       "_az_el_je_va_éraszeg_elsem_en_es_lenlszszeszttt_és_",
       "_ad_be_fe_ka_ke_ki_ne_ta_töak_artat_bb_ek_ellfelhogjonlegnemogyok_rvétartumtástörva_válvénálaény",
       "_al_bi_ez_ké_kö_né_ol_ésagyal_aláan_daldjoel_entereettez_ezőhashethozik_illintió_ja_kerlasldaletll_"
       "llimennyonáloldra_rtartésa_se_sszszasznszászótalteltékvagvalyeszerznázámzó_átuértérvéseörl",
       "_cs_cí_de_do_dá_ha_id_ma_mi_má_ni_ob_re_z__újadjaktalmaluap_arabizbjeciócs_"
       "csocímdátegaegfeheektelhenner_forgfegyeidőincis_iárjekkapkatkelkezktulaplatlhaliálmalt_"
       "luelyelábléslítmazmetmezminnaknapncsnekninnyeobjot_rd_resrlérólsodsz_síttertoztvatésue_umous_"
       "zonzésábbáciálláltálóárdás_ásaészét_ítáól_",
       "_ar_e__f__fo_is_kv_lé_mo_mó_mű_na_sa_si_tr_váabladaai_ameapcarrbanbe_beáblobőldatde_"
       "deldjadokdosebbegéeljelyelőendeneeseeszeteetőezieálgadgéshathezhonie_"
       "ikeindiváizojegkarketkivktekumkérküllehlislióljellílonltomaimokmotmármódndeni_nt_"
       "nténytnévnézodjokuonlonyormosoosíottoz_"
       "ozzpcsperpusrakrenrilrmárrórtosabsensiksolságtattektettritípum_umeuuuve_velyosytezavzetzikztozzáző_"
       "án_ányár_át_ék_ékeéteév_ípuítvódoük_ől_",
       "_am_en_fá_hi_ja_jo_jú_li_pe_po_se_tí_ál_ír_ór_ösadvailalaassatáavábbiberbetbi_csadvadő_"
       "egielteléembemeengenlercertezefájgalgengi_goshibhosiszjanjebjogjükke_kétközlellemlleltslérlétló_"
       "lódma_mbemelmodművnetnienlanlennintány_odeogookaol_olóossosure_rhert_"
       "réssaksoksonsulszoszűségteztiltintketoktottrátáctő_ultunkvanyezza_zesztrztázáazászűráadájlámoég_"
       "érhérjéséézeírjítsódóössúj_ők_őt_űve",
       "alsbengedin_ne_ngentiriatosyen", "", "", ""}}},
    {"",
     {{"", "", "", "_ne_po", "ky_ní_polte_", "_hohodje_ložna_ou_",
       "_na_pr_př_se_zace_dnoesllo_notoloskyslostrta_",
       "_by_he_je_ob_od_ty_vyat_brabylch_eníhesistit_jtela_latle_no_nouny_né_něnodnotaožkproransahse_to_"
       "tratypujevatzadznaže_",
       "_a__bý_da_do_má_mí_op_so_st_v__zm_zn_ča_číadeatnbsabýtdatdejdstejtek_em_entilika_ku_ledmenmusmá_"
       "měnnebnovná_ně_obsodioleovaplaprápu_přeránrávsoutinuživybybrypuzměýt_časčís",
       "_ad_ce_ch_k__ma_mi_mo_mu_pl_ro_sp_ta_te_už_vš_žeaceadrahuaněas_atebo_by_celdineboen_eteež_"
       "hujinoinuivakouminmítnaknamnemnežnutný_odeodsokuostováožepřipříro_rovru_slastasí_telusívenza_"
       "zeníceíslít_ěníěteše_živžky",
       "_al_bu_de_dn_js_kl_ko_kv_li_mě_no_ny_ná_o__s__tr_uj_va_ve_vá_ví_we_z__zá_ús_šaablak_"
       "aleardastataatubloci_cí_dendesdredánebyed_ednel_erveznho_iarionjisjíckemké_li_"
       "lialicliolonlskménmůžne_nejnenneonepnitnskntantinynobnobrohlopror_"
       "otoovépoupozprapěšracratravrazresrilrvesezsposprspěst_stostustětattentertortritrátumty_tětujium_"
       "uuuvánvícvšewebylayníze_ánkávnázeícíístížeúspýchěšnředřidšabštiůžežekžka",
       "_an_fi_ge_ji_jm_kt_re_to_tý_ur_zo_zp_čeahoam_amianianéatoašeba_bjeborbrábudchydnídokdy_"
       "ebuechejíektelkeléenaeobepleraeruestev_exiezefilforhlehovhybiciiltinyjedjekjméjsoklakleko_ktekumků_"
       "ladlovltrlé_me_metmi_možmělměsntonámnáznýcnů_objohoolioluon_opeoruouboužovoožnperplipožry_"
       "serslestestisíctactiltnétnítu_týdubouloumevašvervněvé_xisyl_zevznázobán_ánaánííchím_"
       "ěnaěněěsíšecšněší_žadžitžád",
       "_e__le_me_mů_srailakůavebu_de_elseseet_hláickifiilokolkonlkemaimu_"
       "mísomeormovepohpoksejsetskotavtnotrotujud_utouvivolvášvě_ánoáteáš_ém_ítk",
       "", "", ""}}},
    {"",
     {{"", "", "", "_dearede_re_te_", "_nuți_", "_ac_co_pa_se_va_înațieleentie_ilile_ne_ntrtă_val",
       "_cu_in_ma_peacearoat_ateconcă_ea_ectereestintla_nu_nă_parroltertiltruul_",
       "_a__ad_ar_as_ca_da_do_fi_o__or_su_să_tr_unai_alianecarcesctecu_ețiicaistiunizaliomainumoanoaroduor_"
       "penreari_ru_stesă_treumeun_ză_în_țin",
       "_al_ce_că_di_es_f__fo_la_li_mi_mu_no_ob_po_pu_re_sa_sc_ut_vă_șiactagial_"
       "alealuaraastatăctacumcțiduceasficginguriciifiiguilein_ineinăioaleclizluelă_minmulni_ntențiolaolăon_"
       "onțorepagrodră_selsigst_stastăta_tattortrouceue_ui_ultuniunturiuteutivă_zatși_",
       "_mo_ne_ni_to_uraloanăar_asiatoau_azăbiebuicatccece_ceacelcețchidatdindă_ebuei_el_"
       "ergezăfișfoshimiecierimbimiiniinuioniteliclidloalorlt_luimarme_menmodnicnt_"
       "ntinutoatobioriostracrațrebrecresrgerierilrulschstrsuntartațtoatratriuneuraut_ţi_țiu",
       "_ap_au_câ_du_ex_le_lu_oc_pr_si_sp_ti_ve_Șt_"
       "șaablacuadraniartautbilblobrichecifcuncâmdocdreeazeceeciepter_erieruerves_esege_ia_ianic_idăii_il_"
       "italealunmbambrndenecnountaoctocuoniontorăouăperplipurputratregrelsause_"
       "setsitsucteateltentiptuluccuieuluum_uă_verâmpîntȘteștețiație",
       "_af_an_ch_ci_el_ge_go_iu_jo_me_ta_vi_zi_ștacăacțadmadăafialvariasoatiaţibarbă_ca_cațci_ciacodcorct_"
       "cutdacdecdeldifdmidoudăuecuediegielieloembermersesaesiesăetaexieţifi_fiefilforgatgeribiiceicăid_"
       "iltimainainsit_ișaișilimlisltrmermilmismp_mplmpumânna_"
       "narneanilnisnstnulociodeodioleomepoaponprepriptăpunpuțra_"
       "rarricrimrmarmirtervesalscusepsersiusocspasăptaltemtețtifturtămugauncurmuțixiszi_"
       "înaîncăptăriătoăugșabșarșie",
       "_ai_fa_feailainan_ifrităițilialitumăundzilămâții", "", "", ""}}},
    {"",
     {{"", "an_", "ang", "_meandkanng_", "_da_di_se_te_tiah_ak_da_engidamen",
       "_an_be_in_pe_sa_yaasiat_berdakdi_ndangasi_tertidus_yan",
       "_ha_ke_ma_ta_unadaai_alaaliamaariataganilailiinilanlihmasndinggni_ntupenri_santantukuk_unt",
       "_ad_ak_ba_bi_de_ka_la_ni_paakaaktal_apaapuaraaruasubahdanelaer_ggugunhapia_ih_ikaingkkalahlailamma_"
       "mbamemnilnyaperpilpussukukaunaya_",
       "_at_bu_ga_ko_na_ob_si_vaambar_au_bjedardenek_entgalhanharid_ihaikiin_is_ka_karkaske_latlidmanmatna_"
       "namngkntaobjpatranrkarussebtauteltiktu_ua_ubaukkungval",
       "_al_do_fo_ja_ju_pi_waaksam_as_astawabidbildapdiaebuel_"
       "eluembemiempemuenaeraerierkerseruforggaghagkahkaik_il_iriit_itujekki_ktuli_likmilminmuanghormpa_"
       "padpanrakrmarsesemsessitstita_tamtastemtusulaun_ut_uuuwak",
       "_ap_ku_le_mi_moahkainaluanyap_"
       "asaatubanbarbawbelbihbuabukbutcardaldeldikdipditdokdunebiediekaemaenienyerberherles_"
       "esaetaetigarhasimaindipiir_"
       "itajankaikemkonktekumlebmarmplnakndunginisodeokuontpasplarikrimrinrisrupsalsedseksilstrtartriuahum_"
       "umeupauruwah",
       "_bo_co_du_fi_hu_je_ji_no_re_su_ub_"
       "uladmaftahaaitakuanaarearkayabalbendafdatdesdibdmiduaebeeksepaerpertesiet_eteftagi_"
       "hakhatianimpintipeisiistjikketkinksekunlallehlu_lummelmermetmodmpancangeniantentioleon_ongpe_"
       "raprasrbarharu_sarsatselsepsersetsiasimsonspastatahtaktaptentettiftintiptrauaruliuniurautaveryak",
       "_as_ca_fa_ge_mm_mu_ok_po_r__sp_st_tr_ur_viaanagaagiahuaikantapibagbaibulbundihdiueh_elien_"
       "encenderdga_geogkigu_halibaiguikuiteiubjenjukkosksiktikutlaslinlkamaimbumm_mulmunnarngongunyeok_ol_"
       "oriosopakpalpi_punra_riarpirubsa_samsintagtatturue_uh_unyutuvieyyy",
       "", "", ""}}},
    {"",
     {{"", "", "", "_po_prijeje_te_", "_daki_na_", "_ko_mo_na_od_st_unda_iteja_ka_li_ne_no_ranskiti_tra",
       "_do_je_lo_ne_ni_sa_zaanianjcijesiimainkjedjenlozma_nesni_nijnjeodaostozipriproravrijrissprstruneva_"
       "zin",
       "_bi_br_im_is_iz_ob_ov_tr_vradran_atibrabridabdatednenieriih_ijailiiraispistke_"
       "kormjenicnosoriovaprarajromsitsnistaza_zna",
       "_ad_i__il_li_ma_os_re_se_sl_sv_vi_"
       "znabraciajtavaavnbjebrodandnodržektenaguriguikainiisaisnitiičkišejerjteju_ku_ljeme_minmo_naknskod_"
       "olioljosipolpospreresrojsadse_sigst_steta_uravišvriše_",
       "_ak_no_u__uk_va_veabeaj_akoalianaanoatuaviberca_dreedeeliemaeneeseestimeimojekjeljesji_"
       "jskliklimljalskmalmenmijmolnemnihniknisnjankankenkunovnutobjoj_ojeojiom_omioraoveovopodra_ri_"
       "ritržasa_sanstostusu_tirtretumunoupnvanve_vi_",
       "_de_gr_ka_mi_ra_si_tiak_akaakcalnam_aneansatoavebi_bitce_ci_"
       "dendindosedaegiemeenjenoentenueteetiezaicaiceijsik_im_izbjemkciko_kojla_lanmanmormožnavnimničnu_og_"
       "omjoteoviožepnopotpovrazremrenrezsetstisvitattavtektnotojtottritupukuum_utnvatvedvezvilvjevo_"
       "zabzbrće_čkižaj",
       "_al_ci_dv_e__ge_ip_kl_mj_nu_op_sp_sr_ta_ur_us_ćeadmailajaalaalsataazaazidmidvaeciediekaen_er_"
       "esueusezueškešngijglegreiciijuil_ileinainsip_iviizajanjavjevješjolkolkovktikuplegliclo_"
       "lovmainajnjontaobrojaomeonios_"
       "oslovjovupanpjeplipojponputracralrešrivrišrovsatslaspjsrpsvetactipuklultumeuspvalvašvelvitvnovnuvu_"
       "zančkođenšnožav",
       "_ap_du_go_in_r__ru_su_toajuat_ateavlažicimdecdjedoddoket_etrevaforinuipvis_ivaišiklokumlnometmi_"
       "mognednognstnumobaodiokuolsoluonaopcormoznpciporpv_ratražredređrikrimričro_"
       "ronsljslotjeumburlvenvljzulši_",
       "", "", ""}}},
    {"",
     {{"", "", "_de", "_code_es_", "_el_la_no_sear_er_la_",
       "_a__ca_es_pe_unat_conel_entesteu_ió_na_no_ntrperquetrats_",
       "_aq_en_ha_in_reaciaquaseciocióenyionls_ontor_senta_uesun_",
       "_pl_po_qu_si_us_vaal_ariccicomcteda_deldesecteleha_icaintir_istlidmenminns_nt_nyaonaorros_plara_"
       "rasre_ressegst_stastrtretroue_unaus_ya_és_",
       "_al_am_d__da_fi_fo_ho_i__l__ll_ma_mo_ob_s__te_vo_vàaloambantau_carduïeccegiegueixelsen_forgurhoria_"
       "iliinait_iu_laulecleslitlornatnomntinvioduom_onsormostreuri_rodrreselsersi_stesuate_"
       "tertestiluïuvalvosvàlàliïu_",
       "_ac_ad_an_as_di_do_ex_fa_le_mi_o__pr_to_ésadaadeampanvassatsbjeblebrecamcancapcordateniersescficic_"
       "id_idaifiiniitaitzix_jeclanliclimllallillolocmatmb_narnicnteobjodeorararriarmars_ssetartenté_"
       "uarureusuut_va_viaès_",
       "_ab_af_ar_cl_fe_ge_hi_me_pà_so_ti_tr_té_ve_viablaccafealsan_anaap_"
       "araaràatabliborcadcolcumdendocdordreeciedielaeliemeenvermesbespeteetietrfegfilgingitgutiaticiilliltim"
       "iipulacletltrmarmbrmermodmésncinirntantsoc_ocuomeompotaotsou_podpotprops_"
       "puspàgranratrecregrraràcsboscossistàtactatteitintiptortottzaualumeuuuvisàgi",
       "_ba_du_gr_he_ju_mé_nú_èxactadmadoadraliangarrca_"
       "caccatciacladifdmidueegaemberaereerieroesaessetaevaexieçafingenguiheuhi_"
       "iaribliesiguimainginsinuiquis_ispitslarlemliolirlisllema_manmesmetmismp_"
       "mplmpsmulnalnesneungunisnounovny_númodiol_ollon_oneoniot_plepliponquaracradrelrerreçse_"
       "setsiósossottabteutiqtiutriuriutixitàctça_èxiúme",
       "_er_lo_n__oc_r__utaixaleameanycerdaddiseneequervfa_falfergisideim_incjanlióni_"
       "nstnutnysnèsoriovapcipecrmisessonspespotaltemticui_ulaultvegveuvidxisys_",
       "", "", ""}}},
    {"",
     {{"", "", "", "_pr", "_poie_ky_te_", "_na_ob_zaje_menniené_",
       "_he_ho_je_ne_st_vyadaať_ch_eslheshodia_ililo_na_ov_preskyslo",
       "_ak_al_do_ni_sa_vaajtalebradajdnoeniiacistiteiť_jtene_notnovný_odnovapolre_ránsa_strta_to_tráue_"
       "zadznaýchže_",
       "_a__by_f__kv_ma_me_mi_má_od_sú_tr_zm_zn_čí_žeac_adrakoaluanianýatnbjebo_bsaeboektentiariónjekko_la_"
       "latlebli_lialióluemusmá_ny_ná_nýcobjobsotaou_"
       "oužoznplapoupriprárilrovrávsahstiujevalvaťviavybybrzmeáciím_íslčís",
       "_bo_ce_ch_de_dá_mo_mu_pl_re_se_sp_to_ui_v__vi_vš_zo_čaak_amianéateazabolbyťciadandendáted_eneenéka_"
       "kovku_le_ložmazmi_naknamnemnenno_nskodoom_ostosíproredrossiaslasprstastestusí_"
       "símteľtittriuisusíužívanvatyť_ánkívačasžív",
       "_ad_bi_fo_mô_no_ná_o__ro_s__ty_z__šaablahoahuam_ardatiberbilblóby_ce_celciedindnedokdosdridy_ej_"
       "enáenýer_eraesaeteetkforho_hoviadichickidaikáinaintinúiárkcikonkt_ktokvakviké_ledlicliálé_"
       "lónmalmilminmôžnajnačnepnianiťntintánu_nútobnodiok_okuol_oleolioloormotooveožkpozpríra_ranrazrd_"
       "resridslesmespespotiltnýtortottovtumtupty_typumeuuuva_"
       "vadvašvenvervinvymvšeymazanzozárdátoátuávaónoôžešabšetžia",
       "_ab_ap_as_bu_in_jú_ko_op_sk_ta_te_tv_tá_tý_ur_vý_ús_či_žiaceadnailajvakcalianáarkas_"
       "asoaspastačiašeba_borbudchydeldesdo_dredstdujedneléen_enoeplesiestet_exieľsešnfilhláhu_"
       "hybhľaifiinniu_janjedjvijúcklakumká_ladlenliklitlovlskláclárlásmaime_"
       "miemodmulnasnejnitnkankynnénounámnú_obrodeodsoluopror_ovnovoovéoň_"
       "ošložipešplipodpotpovpoňpraravrdyriermurokrsksatserslisú_súbtintkytnétnútretrotu_tujtvatáctátuláum_"
       "upnuživarvnevé_xisyp_znázobzovároávnázoónuónyúboúspčiaľa_ľadľskšiešne",
       "", "", "", ""}}},
    {"",
     {{"", "", "as_", "_pati_", "_neai_is_te_", "_ka_vainkitekitlaprinsla",
       "_da_iš_la_pr_sl_suaptažoeikijoiliiniio_ių_jonlijmennų_pasptatastažtinturus_valžod",
       "_nu_re_ti_tuad_alaalialuartasiau_augentgaliauikiintiriistitikadkailuemasminnisntiodionaos_prira_"
       "reirodstatiktų_ue_urivar",
       "_ar_f__ga_ir_jū_mi_na_se_sk_vi_yr_įs_įv_šiabaaikandar_ašacijdardaudisdžiei_"
       "eiseskgiaiaiienijaikaikšimair_iš_ja_jūskeikinktikšmlailannasnaunkinktojaonųrašri_"
       "rtosirsitskaskistita_taitiltojtriugivesyraįsiįve",
       "_ad_at_be_bū_el_gr_ma_ob_pe_pu_si_są_ta_tr_žeablaciadraipaitaičakeapiardaryaukba_barbjebūtdabdiedį_"
       "dų_edaekteleelies_iešikriksip_isiiusičiištjekklaktalaulų_metmė_"
       "naineinklntaobjodįomeotopakperprapusrierytrėtsijstrsu_sudsąrsų_tattottratustą_udauslveivo_"
       "ytaytičiųės_ėtišmėštrūsųžio",
       "_ap_ba_bu_de_di_do_ge_ke_ko_kv_me_ro_sa_te_už_ve_ša_"
       "žyadiamiantarbastataatyaudaujausavaaviblobuvdasdatdeldindredytdėteitemeenienkenųeriesaetueš_"
       "gisidėinginuitmjanjasjo_ją_kamkarkaskrolemlinliolonma_maimilmo_mą_nednesnetnganimnkant_"
       "nuoodoodyodžoliotipatpavpašrairasrbaresridrilriorisrtisassausimspasustacteito_truudougoui_umeuo_"
       "urėusiuvovievimvisąračiušabšasūtižym",
       "_as_du_fa_il_in_ku_mo_nė_ra_ru_sp_sv_sė_į_admaidailainaisamaamąangatsbolda_dmido_dokduoegaegzel_"
       "enaervesiečifaigaigotgziijuilgimbimoinainėišsjosjunjų_kabkalklųkmiko_kriksmkstktukumkurką_kų_"
       "lallellgili_lialislo_mažmbome_mi_modmėnmų_ndųnegniono_ntųnurnusnutnė_"
       "nėrodeojookuomaoriotepanpisptiradravrdaritrvesavsersiksissiųstusvesėktiptistmetuotymukaunguojuroustut"
       "ivadvaivervirykiys_zisčiaėkmėrašalšisūs_žemženžia",
       "", "", "", ""}}},
    {"",
     {{"", "", "", "", "_seestne_ud_", "_ka_ku_ol_sa_si_va_väge_id_iseoleon_sisstate_tudus_uta",
       "_ei_ko_onalaalida_ei_ektja_kasks_le_minna_salsesst_ta_tusustvaläär",
       "_ja_mi_mu_pa_te_tä_võaadaatab_ageajaasuasõatued_el_emaenderiet_ga_imiineisaistitukuilaslemli_lt_ma_"
       "malmismuurtuse_sedstusutsõntagti_useväävõiärtõna",
       "_al_et_le_li_ma_mä_ob_pe_po_tu_uu_ve_viad_adaaldallaluamiandastatabjeee_eerekses_ev_ia_igaingit_"
       "itaitejekkorktikuskuulehlismärndindunimobjoonorrpeapäerekri_rresaaseeselstitadtajtattsituntutui_"
       "uudveeäevõi_",
       "_aa_do_ke_ki_kõ_la_lo_ni_nä_pr_pä_su_ta_to_tüaanadeaegagaaksarvas_asiat_ateatsde_"
       "deldesdeteabeenellem_enter_essevagu_gushemhteideik_iljimeinuioois_järktnkõila_"
       "ldaliklitljallallilunmeemenmi_ni_ollomaonioolormpalparreeresritrv_seksi_"
       "siossestetamteitnetritähtühudeun_undupäuueuupuutuuuvaaväläheärgõigõik",
       "_ju_jä_nu_so_ühaasadraltamaaniberdi_diddokdreedaeetegueheehteideleelietegi_hi_idaigeiguikaikuil_"
       "iliiltimainiissisujonkeski_kinkirkonkumljollemaamasmatnd_"
       "ndandmnesngunitnnentanudnumokuontpolpospraraerimsarseosersitss_strsuutestidtiltretäitüüudaue_"
       "umbumevadvigäisäljärkõnnühi",
       "_ad_an_ar_de_e__ee_fa_fo_ge_he_hi_in_ne_no_om_pu_re_ro_tõ_õi_"
       "õnadiadmaheaidailaitalealvaneanuaraaroavadatditdjadmedmidu_dubdugduseemeg_"
       "egaegiekiemieneeotetketsetufaifilforgalgasgengishelhethkeht_ib_iipileipsiriisijanjatkaakelkemkrikt_"
       "kunlaaletlevlidliilogltrlvembembrme_mitmudng_nianisntinusnutohkoimol_"
       "oliomeostotupoopuuranriirilrjermarohroosa_saisiisoossitavteetegtertketmitoitseub_"
       "ubauduugeuiduleultuniutmuu_uunuuruusva_vahvajvervesviivähäht",
       "", "", "", ""}}},
    {"",
     {{"", "", "", "_na_pona_te_", "_priteje_ni_no_pre", "_da_iz_zainalo_redti_šči",
       "_bi_do_ge_im_je_mo_ne_ni_se_st_ve_vsanida_eslgesizbja_menne_nosoraostov_ranslostastrtevtraznačin",
       "_ob_sp_up_ur_vn_vraj_an_anjbitdatdnoednemeen_ih_iliimaimejavjenka_ki_la_li_"
       "ljaljenasnesnjeoljporrabst_ta_upovnevreza_zbr",
       "_bo_de_in_ko_no_tr_v__va_zn_štacialiaslaviavnbilbnibricijed_eljenter_eriesieveeč_ijaijoik_in_"
       "itijanjonke_ko_ledlijlovma_metmornakniknovnutodapolpospriremritsitsprstestito_trevelvečvilvnovsešte",
       "_al_br_ma_me_mi_od_ok_sk_ta_te_to_us_z__čeabnastateaveberbradajedeektem_enaenienjenoestetiev_eviga_"
       "gleikailoisaistiškjihkotkovkrbletlikme_mesminnajnamnihnjanščogoonaoskot_oveovopodpovprara_ri_risse_"
       "sebskiskrskuslatavtektiltnova_vašvenvitše_",
       "_en_la_le_op_pa_ra_čaahkahtajaajtakaakoam_anaas_atkatoatuašeba_bi_bjebo_dandecdeldlodnjdo_"
       "doddokdoveciedlegaejaek_eleelieloembeneenuet_evaez_ezaezieznešngočhkohteil_ilaim_inujekjezjo_"
       "jskkraku_kumkuplahlogmi_mo_mognapnimnisnišntaobjoglokuon_"
       "opoosioteočeočipešpnopogpomponpošprorajratravrazrbirejrenrevrijro_"
       "rossanspestotactajtritumujeumeupnusputnvervezvnivolvsazahzanzikčasče_šnožni",
       "_ad_ap_ba_ce_dn_el_ji_ju_ka_kl_s__so_ti_žeadmajvakealnamianeanšapaaprar_atiavlbinbstcelcimco_de_"
       "dejdendi_dmidneebiebuec_ediekaelaeseetnevkevnežnicoij_ijsikoikuimoineiniirais_jemjvekatkt_"
       "ktoljulnomalmanmbambemermodnevnitnjinskobeobsodeoktom_ombomeonionoos_ovaoštpa_pakplepotracralre_"
       "rekrežrilrstrščsajsecseksezsimskaslesmeso_spotemtertkotnitortottovureve_vedvljvnavo_"
       "vrszadzbeznočezči_ško",
       "angbreca_jtentioloomorišum_val", "", "", ""}}},
    {"",
     {{"ng_", "_th", "_ch_kh", "_nh_tr", "_có_ticó_hánhônkhônh_tháángông",
       "_bạ_cá_gi_mậ_ng_đưbạnhẩuiếnkhẩmậtnhậtiếác_ên_đượượcạn_ẩu_ập_ật_ếngợc_",
       "_mộ_nà_ph_qu_tỷ_và_đãay_chọcáchậphọnmộttỷ_ày_óa_đã_ại_ọn_ột_ới_",
       "_củ_ho_hợ_là_lạ_sử_tư_xó_đổan_angchỉcủahayhể_hợplạinàythathểtraxóaào_đổiườiất_ối_ổi_ời_ợp_ủa_",
       "_cả_hã_li_lệ_mớ_sa_số_tê_xá_đă_để_đị_đốai_ch_chocả_gàyho_hoặhànhãyhỉ_in_iệulà_lệ_mớingàoặcranrị_số_"
       "trưtrịtêntượvà_xácànhây_ãy_êm_ùngăngđănđể_đốiườnượnản_ặc_ền_ệu_ờngợngửa_",
       "_ba_bả_cô_du_dù_dư_ha_hi_ki_lư_lự_sẽ_tà_tạ_tấ_tự_va_vớ_xe_đi_đâ_độaluau_chắcôndùnem_"
       "giágiờgườhaihiệhêmhảihỉnhứ_iá_iểuiờ_kiểliệluelưulựamaingưnàophảquarườsausẽ_sửathàthêthứtintàitấttự_"
       "ue_valvàovớixemài_áchúngđâyđịađộnơn_ưa_ưu_ải_ằngểu_ỉnhịa_ỗi_ộngựa_",
       "_bi_bằ_dụ_dữ_em_f__hà_hơ_kí_lỗ_mư_na_nộ_sá_we_đa_đặailbằnchíchưchủchữdundướdữ_"
       "emagiahiềhoảhânhìnhínhơnhưahờihủ_hữ_hữnianil_iêniềuiệnkholỗimườnhữnộioảnquysử_thờtạiunguyềwebyềnân_"
       "ìnhăm_đặtđịnướiần_ận_ặt_ều_ện_ịnhọc_ội_ững",
       "_bu_bê_bắ_bỏ_cầ_dấ_dẫ_gử_hư_ip_ký_la_lọ_ma_má_mụ_nó_nă_rằ_tá_tì_tô_tậ_tồanhba_bảobắtbỏ_"
       "chuchúdấudẫndụneb_guygửihoạhúnhướhấthấyhậnhắchắniềniểmkí_ký_liêlọcmáymụcnaynghngunhinhấnó_"
       "nămoạtphâquảra_riệrênrướrằnthấtritrotrêtìmtôitậptồnua_uanuy_uyêuyểuộcyênyểnàn_ái_áy_êu_ìm_ôi_út_"
       "đanđi_đườướcướnạt_ảm_ảo_ảy_ấu_ấy_ầu_ẫn_ắc_ắn_ắt_ến_ết_ểm_ển_ốngồn_ộc_ớc_ớngục_ụngửi_",
       "_bấ_bị_cl_ge_hì_hô_họ_lò_lậ_lặ_mà_mẫ_nê_r__vi_vu_vì_ít_ô__đó_đú_đả_đếbanbênbảybị_ck_clihi_"
       "huyháchômia_ickipvkháliclònlậplặpmà_mẫunhaongoànpv_ronsáute_thithutư_ui_uảnvuivì_ám_áu_ínhít_òngóm_"
       "ôm_đa_điềđúnđảmđếnơngươnẫu_ặp_ếu_ệt_ốn_",
       "thô", "", ""}}},
    {"",
     {{"", "ie_", "_di", "_gedieer_", "_ni_waen_es_et_is_nieoorte_",
       "_be_da_in_is_n__veaanaaran_at_de_ingordrd_ver",
       "_he_ma_se_te_va_weagwarddatderdigeereldersge_geegelgwoiesigekermaandeng_rdesiestewagweewoo",
       "_en_hi_me_mo_om_on_voal_andar_ebreeneesek_ekeerdestgeshethieierik_iljin_it_kiekteldiminngens_se_"
       "terwaa",
       "_aa_al_as_de_ka_ko_mi_sk_so_st_ti_u__woaakag_ak_ansap_as_asibesbruditee_eg_el_erweskgebikeinskrale_"
       "moeoetom_raprdirs_ruisekskrtalteltemue_uikvalvanvolwor",
       "_bl_by_f__ja_no_ob_of_po_re_to_viaamaatadradsaktaluam_"
       "angaraatubevbjebladaadesdiédsyeelekoektenseraerfetaevagekgetgs_ienig_ir_ié_jarjekjoekarksiladld_"
       "lgeljaljolleluemeemetnaanstobjoegoenof_ondor_ormou_pe_rakranre_"
       "reerilrinsesstastrtaatentiktoetumtydur_uuuvirvoewe_wer",
       "_ad_ak_bi_do_fo_gr_ke_ki_kw_le_nu_op_sl_su_tr_ty_ur_uuaksalldagdreedeedief_"
       "eleendenienteriesiesvforgengevheeiefindipeitekankenkorkselaaliemalneengsntanteol_"
       "ongontortposrekresrf_rmarstskissesuksvosy_tietiptootriuituksum_us_ut_uteuurvatvelvooyd_",
       "_bo_du_e__ee_ho_hu_it_kl_ly_lê_mm_ne_oo_sa_sp_sy_tw_uiadmantassatabekbilblibreby_"
       "bygdeudmidokdrieekegeekielgemeemmeneereerkernerterueureusevofergemgergroherhoohouikbinhiniinuistjankb"
       "ake_kikkonkoskumkwalatldeledleeletlikls_lyslêemelmenmermm_mmims_nd_nernhoninnisnuwodeoekoesokuolgon_"
       "op_orros_oseoudoutperpesplariernart_"
       "rusrwarwysalsigskaslesonstostusyftastratretrutweumeuniureuwevorwanwinwydwysydeyfeygeyk_ys_ysiêer",
       "_ju_naaleateberds_egseinelselyep_epeeseewefougaagingstiekifiintjaajjjkapkeukwilykmagmeimilnseog_"
       "ogsommoogoonpaargesoospassiteetilttetususewadwat",
       "", "", ""}}},
    {"",
     {{"", "të_", "_të", "_pëni_për", "_e__shjë_sht", "_nj_pame_njëse_ër_",
       "_dh_fj_i__je_me_nd_vlalialëet_fjafshgjeim_imijalje_kallimmi_më_në_onira_rë_shite_vle",
       "_do_du_gj_ju_ka_ko_mu_më_nu_në_os_që_s__se_si_te_u_aj_aktar_dheedhetëhmehtëin_"
       "ionjedjetlëkminmunndron_oseqë_shmshëta_uajuaruesundur_zgjëkaësh",
       "_em_fa_fs_kë_ma_po_ri_sa_ta_va_ve_ësaraat_dordryduhefsemieniepnes_esigurhe_"
       "henhethurhënidhiguiliistit_ja_jenjepjo_ka_leflerliollomërnd_ne_or_oruparpnirdorimruerysrzgshusi_"
       "temtimtuaue_uheumëyshëm_ën_ërdërz",
       "_da_f__fi_fo_fu_ja_kr_li_ll_lu_mi_ng_ob_prajtaluaneaqeashatëbjecakdhjdhudhëdo_dreejtektemëen_"
       "endenteraerëezefaqforgjihjehnihumhë_hëmimeishjekjt_ju_ke_"
       "kenkohktikëtluelutmenndengantinumobjohuohëormoshpriqe_rejri_ronruasajsessh_sheshksigsë_"
       "tiltontortriua_uniushutevalve_ze_ërmësi",
       "_ad_di_dy_ga_in_ke_kj_ku_ky_le_mb_mo_or_re_su_së_tr_vi_zgadrarëbajdatditdonejeenjesëetofilfusga_"
       "garhihhirht_hunie_ikeinijanjidjtijuakjokonkrektektële_lojlë_"
       "marmbamesmetndindondënjanukonjonëorërasre_resrmbrohshostrti_trotëntërtësuk_uksumeurouuuvijërkëseëtë",
       "_ba_ek_ha_hi_jo_lë_pl_qe_sk_sp_tuabiailajëalean_anianjanëargariartatiavlbracildeldhndokdosdy_"
       "dëregjej_eleemaenëeprerierreshetievefungjaha_himhkrhtahuaianicaiheil_"
       "illiltintirjitëjerjeskarketksekuakumky_kërlejletlidliklisll_lotltrlënmaimatmodmosmulna_"
       "ndangonisnjononntenësodeoheokuoneoreoriotëpakpanpaspavplopo_"
       "porposprerenricrilrjermarpurterësshashfsisskestastosuktanteltettiktintivtjeto_"
       "truturtëmuravepënaëndëniërpës_ët_",
       "_de_et_gu_noandangazëfalhtohtrik_inujatkt_mitnutnënojeontrikritspatravarven", "", "", ""}}},
    {"",
     {{"", "", "", "_baerara_tu_", "_da_er_ezak_atuen_ko_ta_tza", "_bean_atzbatdatez_hititzoa_tzezen",
       "_au_du_ha_iz_paagoahiakoarrasaat_balberda_du_ekoerretaezaia_ik_itula_pasrenrrerrisahutaza_",
       "_al_bi_di_ed_et_ge_gu_id_or_zeabiailaldaliar_areartaukazibaibildo_ea_egiehaelaenaenterego_"
       "gunharhauidaierin_ioairakerliomenna_ordrabratre_riataktatte_tuatuttziua_ukeurtzio",
       "_ar_de_eg_ga_ko_mo_sa_ur_zi_zuabaabeainalearabakbehbiddagde_diteakedoehiek_"
       "enbendgehikoilaileiliiltistiurizaki_ldalekltznbantzrakrduremri_"
       "rikrrartastetxauakureuztzabzaizanzarzekzerzi_ziu",
       "_ab_do_es_ho_ir_ka_ma_ob_se_txakeakiantariataateau_aztbjedeadeneguekiekteleemueneguzhoniagideienio_"
       "ioiizekarketkoalikmarndunekntantintuobjoi_oneoriorrrairbirtesarstatartertiktiltz_"
       "udeueluneurrzeaztizu_zur",
       "_ap_az_ek_el_fi_he_hi_in_ja_ku_me_mi_on_os_ta_we_"
       "zaagaaimaitaktalaandaniastaueaurazkbgudakdaudeldezdirdokduedukduzeanebgeduerberlesketieziezugargazgia"
       "gingoehazhiaiakianiarimeinainointinuitajekkatkiakinktektukumkuslablanlazldeleamaiminmotnakndandoneane"
       "zngonieno_oakodeokuonaondonioraoreormosootapenragrderearekrerrezrlarturtzsi_"
       "strtaztegtentritxiukaukiumeun_utuutxuzuwebxanzakzkezkizteztu",
       "_as_fa_go_hu_ik_la_no_po_"
       "trabuaguakaasiaudautbarbetbisbitdalduaearelbeloemaemeerdesteteezkfitforgisgorguthashelikuiloingionite"
       "itxizkjarka_ke_konlatlbile_lemli_loimanmodmu_muanatndiniknutoiaomeontrdirilrmaro_rrusa_"
       "sietaltanteatektiatratroturue_uekulausiuzexatzinzkozuz",
       "_ad_at_bu_ex_fo_r_angbieburdiaeineriexifalgabgithilikakazkenkomkutlaklitloametoelon_"
       "ostregretrroskastiteltittsiunauriutszeh",
       "", "", ""}}},
    {"",
     {{"", "", "", "_aðað_ur_", "_vear_inn",
       "_ek_er_in_viekker_gilillingir_ið_ka_ki_kilnn_skastata_tilum_ver",
       "_en_gi_ly_se_sk_ti_va_þeil_ildilokkilorlykorðra_st_tt_ykiða_ðu_",
       "_br_he_hl_me_og_sl_st_á__í__þúandbredagdi_"
       "egaeinendengeraerðetteyteðafurgariltinsistldilduleglljlutnding_ninog_reyrð_rðirðusetturvaláðuðurþú_",
       "_af_da_ef_ei_ey_eð_fy_ge_ha_le_mi_má_ne_no_þaafian_angastdu_durefueiten_essetnhefhluin_jarkrála_"
       "ldaljalt_láðmá_na_ndunganguniðnninnsnotnskotareirt_samskrslástitaftanti_tintnittatu_tölue_vefvinði_"
       "öluþes",
       "_al_bæ_f__fl_ma_re_sé_sí_tí_tö_umaf_afnagsalaaldallaluamlarðaðgbætda_dandumeftem_erteyðeð_"
       "fanfirftifyrga_gasgergsehalheiindinuja_jónleilinljóllaluemeðmlend_ndanginihnsanu_ri_"
       "rirrstrétrðasemsíðtaltirtrittitímustutuuuuvarvelvisviðyriyttyðaéttímaískðarðinðiðþaðþet",
       "_bi_bo_fr_ga_jú_kv_li_nú_ný_ré_sa_sn_tr_tv_óg_úr_þi_þvalianaannaraberbildiðefseileireldesketufa_fi_"
       "fn_gangetgingu_gurhafihaitukerkktkstlenlisllilltma_marminnafnarnesneðngdnirnnans_nstrilrá_sensi_"
       "slósniss_ssistrtartaðtentfatumugaun_unduppursvilví_ytaættðgeógióksöldúr_því",
       "_de_fa_fo_ja_la_lí_mm_ta_te_tó_upafaaftaguakkalsarsaðubókdindiref_embenseriestfleforfraftufærgd_"
       "ggagt_intittiðijórkt_ktukugld_leyll_lskltalu_lurluslóðmbemi_milmm_nt_numnú_nýtranriðru_ráðsa_sk_"
       "skiskoskustusé_takttuuggunautivaðvirvæðytiér_íðuðanðirðrión_óniýtt",
       "_ap_bó_fe_hv_ip_já_ke_ko_ok_rú_sp_uuansarfaðrboðefieiðeljennerserues_etffarfnigakgi_"
       "gulgungöghuginairiirkjankkekoðkumkvakvilarlatllumanmermiðmt_mögnetntiorgoðapp_"
       "ramrikrnarskrúmssastjstötjóyyyástænsær_æðiíðaðgaðunónsóstögnögu",
       "", "", ""}}},
    {"",
     {{"", "", "", "as_", "_la_paai_es_iet", "_ie_ir_iz_ne_pi_vaet_iesir_par",
       "_at_no_pā_sa_ta_vi_vēar_aroatudieienievis_liems_piepārroltiets_tu_us_vaivieība",
       "_da_jā_ko_na_se_tiadiam_av_būtcijektetoevaijaistizvja_ka_kstlainavnu_olertīta_ti_"
       "tībvadvēlvērzvēzīmāciāk_ērtūt_",
       "_ap_ar_de_ja_jū_ka_li_ma_ob_un_veaikaksaraaukbjedatdzēeciieciemiešikajasjekjiejumjābkaiks_"
       "ktukumlablapmaina_nieobjrakrāksatskastastutiktotturtā_tītumsun_visābūīt_šan",
       "_ad_be_ci_di_do_dz_fo_ga_kā_lū_pē_re_sk_st_tr_zī_šaaboairaitanaapaat_atiatība_baibasbu_"
       "cindzueizeksem_enteraesietieviešuforiksiljiniipairāizmjonjūskatkorlaule_lesli_ljols_"
       "lētlūdmazminnasne_nosonuoreormot_otāpasra_reirekrierlisarsekst_strststo_tumtustājundvarzmazu_"
       "zēsārlās_ēlēēm_ēstīmeņu_šu_ūdz",
       "_es_fa_in_mi_mo_tu_uz_šoabladrainaisaizarbastaz_blocipdardasderdu_dītenaenoesaeseestetngadgi_"
       "iekināinīirmismjamjs_jā_kā_kļūlislonlēgma_manmenmu_ndanednepnesno_nornotntāodeojiolios_"
       "pirpēcrasresrisrmsrmāru_si_sisslēsmastistēsu_taitastattiltiptratritunumuur_uuuveivārzieādīājaām_"
       "ārdēc_ībuīmēītaļu_šabūs_",
       "_ai_au_e__fi_gr_kļ_mē_nu_po_pr_si_sp_to_tā_vā_"
       "zeadmailaiņakaantapsarearuasīatsattatzbetbotbribībcieda_decdi_dmidokdreds_dzidēļedzeejei_"
       "eikekoemāerīesīfaifilga_glagu_ie_iedieeierijsiktikāilsiltinūitliz_iņajanjauju_konksiktiku_"
       "kurkārlasltrlu_masmesmetmi_miemodmākmātmēmmēnmīgneenevnisns_ntonītnūtojoojuokuonaontorāosaotsošapa_"
       "priramratrbīrduredri_rs_rādrīgsaise_sersiestīsībtagtamtlitnetortostrutrātuktzītāctē_"
       "tīvtīšuksukuukšumaumeumiuz_vervirvs_vu_zemāt_ātāāņuēgtējiēliēneētiētoīgaīgiīšaļūdņemši_šo_ūsuūte",
       "", "", "", ""}}},
    {"",
     {{"", "", "", "ch_ydd", "_cy_gw_y__ynau_dd_iliwchwn_yn_",
       "_dd_de_di_ma_nead_cyfddieg_ewiiadiwnliwod_th_wyd",
       "_ar_f__ga_gy_i__na_o__r__rh_vaairaluar_awrdewer_eu_frigweinair_luemaenainodnydol_rinrthue_valwiswr_"
       "ychyd_yfr",
       "_am_ca_ei_ff_go_ll_ni_no_si_weae_crhdi_dileddedien_ennes_ewcgangolhewicrid_io_lenll_"
       "negnewrhesicthrtilwedweiwidwy_ys_",
       "_a__an_aw_do_dy_en_fo_hw_me_mw_se_sy_te_unadaai_aleallan_dauddeddodefdiadiwdolefneineitel_"
       "ertethfeiflefnyfodgwagyfhowhwnilyinyiriis_iwrlwylysmwyna_neuni_nnaodeowcredrhoriasodtemun_wrtyfe",
       "_ai_bo_ch_cw_da_ge_he_n__oe_sa_ta_tr_yr_ôlaesaetaf_"
       "ailamsandaneangcanchwdalddadeldigdimdiodogdwydycdydeiceileirempenwfanfengaehauhrehryiauichif_ileim_"
       "iswithladle_leulialygmplmsenadnawnddnninolnw_oesos_osoplarifrilrycrydserswysydudawerwirwynydyyr_"
       "ythyw_ôl_",
       "_al_be_eb_ha_hi_hy_mi_mo_mu_os_pe_po_ry_tuadraelaenaflag_anlannataathbodboscynda_darddwdegderdo_du_"
       "dyned_engestewyferffeffuflaflwfurgalgfegofgu_gwrgydhynig_il_"
       "iwclaullwlwclynmatmunnaenaungonidnilnnunnwnudnwyodiodooedofnogfoliolyon_regrflrharwysafst_strtriud_"
       "unuurfwarydayfayflynnynoysyywi",
       "_ac_ba_bi_bl_by_cl_cr_du_fa_fe_fl_ho_is_la_oc_ol_pw_yd_ym_ywac_achadwam_"
       "anfanrarebilblwbydcadchaclicstcticwacwicywdatddydendoedriduddw_eboecseduegoei_"
       "ellelweneeptewnfnogengidgilgwghidhwahywianidlidwiegigiilointisilaelailegli_"
       "llalliloslwemewmilmodnghnginianlynonnrint_ntinusnwcob_octoleolloniostperptipwyresriosecsepstita_"
       "tudus_wadwalwanwgowinwngwyswytynayntynw",
       "_ip_pa_st_ur_wr_wyaidawscysfwygelgeogorhebhollatlirlltma_mawmetnd_"
       "nosodarhysbasiasiestateitreurlwrnyma",
       "", "", ""}}},
    {"",
     {{"", "", "ach", "_anan_il_", "_leairch_ir_is_ith", "_a__ro_seaigaitar_athdh_gh_haihe_ighle_the",
       "_ai_ar_at_bh_de_do_fa_fo_go_ní_scadhailainal_annchteaceanearghngo_illin_innireiúnliúllimh_na_"
       "naioghomhraire_rogseoáilún_",
       "_ag_am_ch_cu_ga_in_is_na_sa_th_táamhartaí_bhabhfcalceachado_eo_faifochnaiosleamhanisnn_ocarioscrta_"
       "te_teathathrtá_án_íom",
       "_ce_ci_co_dá_f__io_mí_nó_ra_su_ta_tú_va_úsabhad_aidaisaluam_anaaoiaraas_baicincricuide_"
       "deadeoeadeateoifuihanharheahfuhoihraht_iarid_ideidhimhineionistlailuenacneantrnílníooirolaontosara_"
       "rearilráistetaitrátú_uaiue_uiluirvaláinéadíl_úil",
       "_ba_be_dé_ea_fr_ha_oi_ri_ré_sl_so_te_tr_uaadaadrag_agaagualaat_bh_biachedáteiseolfaogacgusha_"
       "húiiacibiiceidiig_ilíiméiniinmlaílí_méamí_ne_nm_nnannintaní_oi_oiboisos_othracratrt_rthréirú_"
       "sadsaisamscaseasonsuísáithúus_uíoáidálaátaéidúsá",
       "_ac_bi_bo_br_ca_cl_d__fe_lo_lu_ma_mi_má_qu_to_é__ú_"
       "aibarcasaastbeabilchlchuchácomdeidhadirdriealeameaseiceimeoreáieálfrifómganghagáihadheihlohoshtaháihá"
       "lhániltimsintiotisila_ladlogloilualánmhimilmsennenntntenó_ocroigoiloimoinon_"
       "onroraostquariaritroirtasa_se_seistatabth_thithothsthátriuacuaduiméanéimíosómh",
       "_as_da_fá_ge_gn_ia_me_mó_nu_po_sé_uraghaicamaansaolarratabhebrecaiceáclida_"
       "déaeabeageideireiteánfeafáigatgníhaíhirhochrihshhuniciiliiriiseleilisltaltemacmaimárnasneánranuanuinó"
       "inú_obhogáortphoríoslaslásé_taítáití_ua_urláirál_ánuéiróirúsa",
       "_bu_dh_dt_fé_fó_ip_li_lú_mo_ni_ná_r__st_íoaríbeicimcracrodá_dé_eilféigaohnihnúhrúhá_ileiú_"
       "iúilaclicléimhnmplnt_ná_ochollonnor_oscpáiraírisrl_ríssheshosinsistasuaruidun_ís_úchúin",
       "", "", ""}}},
};

}  // namespace

std::span<const LanguageLetters> language_letters() { return table; }

}  // namespace holdfast::serve
